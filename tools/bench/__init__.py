"""What `kwe bench` measures and how it is told: `guests` boots, `rows` reckons, `tell` prints."""
