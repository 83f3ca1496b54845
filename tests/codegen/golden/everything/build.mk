# build.mk - which decks there are, where their sources lie, what they are linked with.
#
# GENERATED, do not edit.
#   spec      tests/codegen/good/everything/deck.yaml
#   template  codegen/templates/build.mk.j2
#   rebuild   make gen

DECKS := \
	everything

DECK_everything_DIR := tests/codegen/good/everything
DECK_everything_DRIVERS := virtio
DECK_everything_LIBRARIES := lz4 zstd
