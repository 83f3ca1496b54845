/*
 * ext4_disk.h - what an ext4 file system looks like on the disk (Linux Documentation/filesystems/ext4).
 * All numbers are little-endian, as this machine is. Nothing here may be believed before it is checked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EXT4_SUPER_OFFSET 1024u /* bytes from the start of the device, whatever the block size */
#define EXT4_SUPER_BYTES  1024u
#define EXT4_MAGIC        0xef53u
#define EXT4_ROOT_INODE   2u
#define EXT4_NAME_MAX     255u
#define EXT4_LINK_MAX     65000u

#define EXT4_STATE_VALID 1u /* nothing is missing on the disk */
#define EXT4_STATE_ERROR 2u /* contradictions were found */

#define EXT4_COMPAT_DIR_INDEX  0x20u
#define EXT4_INCOMPAT_FILETYPE 0x2u
#define EXT4_INCOMPAT_EXTENTS  0x40u
#define EXT4_INCOMPAT_64BIT    0x80u
#define EXT4_INCOMPAT_FLEX_BG  0x200u
#define EXT4_RO_SPARSE_SUPER   0x1u
#define EXT4_RO_LARGE_FILE     0x2u
#define EXT4_RO_HUGE_FILE      0x8u
#define EXT4_RO_DIR_NLINK      0x20u
#define EXT4_RO_EXTRA_ISIZE    0x40u

struct ext4_disk_super {
    uint32_t inodes_count;
    uint32_t blocks_count_lo;
    uint32_t reserved_blocks_lo;
    uint32_t free_blocks_lo;
    uint32_t free_inodes;
    uint32_t first_data_block;
    uint32_t log_block_size; /* block size is 1024 << this */
    uint32_t log_cluster_size;
    uint32_t blocks_per_group;
    uint32_t clusters_per_group;
    uint32_t inodes_per_group;
    uint32_t mount_time;
    uint32_t write_time;
    uint16_t mount_count, max_mount_count;
    uint16_t magic;
    uint16_t state;
    uint16_t on_errors, minor_revision;
    uint32_t last_check, check_interval;
    uint32_t creator_os;
    uint32_t revision;
    uint16_t reserved_uid, reserved_gid;
    uint32_t first_inode; /* below it: reserved */
    uint16_t inode_size;
    uint16_t group_of_this_copy;
    uint32_t compat, incompat, ro_compat;
    uint8_t uuid[16];
    uint8_t unused1[0xce - 0x78];
    uint16_t reserved_gdt_blocks;
    uint8_t unused2[0xfe - 0xd0];
    uint16_t descriptor_size; /* with 64BIT only */
    uint32_t default_mount_options;
    uint32_t first_meta_group;
    uint32_t made_time;
    uint8_t unused3[0x150 - 0x10c];
    uint32_t blocks_count_hi;
    uint32_t reserved_blocks_hi;
    uint32_t free_blocks_hi;
    uint16_t min_extra_isize, want_extra_isize;
    uint8_t unused4[0x400 - 0x160];
};
_Static_assert(sizeof(struct ext4_disk_super) == EXT4_SUPER_BYTES, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, magic) == 0x38, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, first_inode) == 0x54, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, uuid) == 0x68, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, descriptor_size) == 0xfe, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, made_time) == 0x108, "disk format");
_Static_assert(offsetof(struct ext4_disk_super, blocks_count_hi) == 0x150, "disk format");

/* Group descriptor; without 64BIT only the first 32 bytes exist. */
struct ext4_disk_group {
    uint32_t block_bitmap_lo, inode_bitmap_lo, inode_table_lo;
    uint16_t free_blocks_lo, free_inodes_lo, used_dirs_lo;
    uint16_t flags;
    uint8_t unused1[12];
    uint32_t block_bitmap_hi, inode_bitmap_hi, inode_table_hi;
    uint16_t free_blocks_hi, free_inodes_hi, used_dirs_hi;
    uint8_t unused2[14];
};
_Static_assert(sizeof(struct ext4_disk_group) == 64, "disk format");
_Static_assert(offsetof(struct ext4_disk_group, block_bitmap_hi) == 32, "disk format");
_Static_assert(offsetof(struct ext4_disk_group, used_dirs_hi) == 0x30, "disk format");

#define EXT4_MODE_KIND      0xf000u
#define EXT4_MODE_FILE      0x8000u
#define EXT4_MODE_DIRECTORY 0x4000u
#define EXT4_MODE_SYMLINK   0xa000u

#define EXT4_INODE_IMMUTABLE   0x10u
#define EXT4_INODE_APPEND_ONLY 0x20u
#define EXT4_INODE_ENCRYPTED   0x800u
#define EXT4_INODE_INDEXED     0x1000u /* directory with a hash index */
#define EXT4_INODE_HUGE        0x40000u /* blocks are counted in file system blocks, not in 512 bytes */
#define EXT4_INODE_EXTENTS     0x80000u
#define EXT4_INODE_VERITY      0x100000u
#define EXT4_INODE_EA          0x200000u
#define EXT4_INODE_INLINE      0x10000000u

#define EXT4_INODE_OLD_BYTES 128u
#define EXT4_ROOT_BYTES      60u

struct ext4_disk_inode {
    uint16_t mode;
    uint16_t uid;
    uint32_t size_lo;
    uint32_t atime, ctime, mtime, dtime;
    uint16_t gid;
    uint16_t links;
    uint32_t blocks_lo;
    uint32_t flags;
    uint32_t version;
    uint32_t root[EXT4_ROOT_BYTES / 4]; /* root of the extent tree */
    uint32_t generation;
    uint32_t attributes_lo; /* block of extended attributes */
    uint32_t size_hi;
    uint32_t unused1;
    uint16_t blocks_hi;
    uint16_t attributes_hi;
    uint16_t uid_hi, gid_hi;
    uint16_t checksum_lo, unused2;
    /* only when inode_size is above 128 */
    uint16_t extra_isize;
    uint16_t checksum_hi;
    uint32_t ctime_extra, mtime_extra, atime_extra;
    uint32_t crtime, crtime_extra;
    uint32_t version_hi;
    uint32_t project;
};
_Static_assert(sizeof(struct ext4_disk_inode) == 160, "disk format");
_Static_assert(offsetof(struct ext4_disk_inode, root) == 0x28, "disk format");
_Static_assert(offsetof(struct ext4_disk_inode, size_hi) == 0x6c, "disk format");
_Static_assert(offsetof(struct ext4_disk_inode, extra_isize) == EXT4_INODE_OLD_BYTES,
               "disk format");
#define EXT4_EXTRA_ISIZE ((uint16_t)(sizeof(struct ext4_disk_inode) - EXT4_INODE_OLD_BYTES))

#define EXT4_EXTENT_MAGIC 0xf30au
#define EXT4_MAX_DEPTH    5u
/* blocks of a written extent; longer lengths mean "unwritten", less 32768 */
#define EXT4_WRITTEN_MAX   32768u
#define EXT4_UNWRITTEN_MAX 32767u

struct ext4_disk_node {
    uint16_t magic;
    uint16_t entries;
    uint16_t capacity;
    uint16_t depth; /* 0: the entries are extents, else index entries */
    uint32_t generation;
};
struct ext4_disk_extent {
    uint32_t logical;
    uint16_t length;
    uint16_t physical_hi;
    uint32_t physical_lo;
};
struct ext4_disk_index {
    uint32_t logical; /* the first of the node below */
    uint32_t child_lo;
    uint16_t child_hi;
    uint16_t unused;
};
_Static_assert(sizeof(struct ext4_disk_node) == 12, "disk format");
_Static_assert(sizeof(struct ext4_disk_extent) == 12, "disk format");
_Static_assert(sizeof(struct ext4_disk_index) == 12, "disk format");

/* Directory entry; the name follows, the next one is `length` bytes on. inode 0: free room. */
struct ext4_disk_entry {
    uint32_t inode;
    uint16_t length;
    uint8_t name_length;
    uint8_t type;
};
_Static_assert(sizeof(struct ext4_disk_entry) == 8, "disk format");
#define EXT4_TYPE_FILE      1u
#define EXT4_TYPE_DIRECTORY 2u

#define EXT4_ATTRIBUTES_MAGIC 0xea020000u
struct ext4_disk_attributes {
    uint32_t magic;
    uint32_t references; /* inodes that share the block */
};
