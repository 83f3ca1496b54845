"""What the tests that boot the image stand on; `plugin` has the fixtures."""
