# build.mk - which decks there are, where their sources lie, what they are linked with.
#
# GENERATED, do not edit.
#   spec      kernel/decks/execution/deck.yaml
#             kernel/decks/operations/deck.yaml
#             kernel/decks/hardware/deck.yaml
#             kernel/decks/storage/deck.yaml
#             kernel/decks/network/deck.yaml
#   template  codegen/templates/build.mk.j2
#   rebuild   make gen

DECKS := \
	execution \
	operations \
	hardware \
	storage \
	network

DECK_execution_DIR := kernel/decks/execution
DECK_execution_DRIVERS :=
DECK_execution_LIBRARIES :=

DECK_operations_DIR := kernel/decks/operations
DECK_operations_DRIVERS :=
DECK_operations_LIBRARIES := turbojpeg lz4 zstd sodium

DECK_hardware_DIR := kernel/decks/hardware
DECK_hardware_DRIVERS := ivshmem
DECK_hardware_LIBRARIES :=

DECK_storage_DIR := kernel/decks/storage
DECK_storage_DRIVERS := ext4 virtio virtio_blk
DECK_storage_LIBRARIES :=

DECK_network_DIR := kernel/decks/network
DECK_network_DRIVERS := virtio virtio_net
DECK_network_LIBRARIES := lwip llhttp
