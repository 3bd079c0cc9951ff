/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the partitions, and where they go in a guest's memory. */
#include "images.h"

#include <string.h>
#include <unistd.h>

#include "guest_map.h"

/* Where QEMU's virt puts a ramdisk and a device tree: this far into RAM, or halfway if it is small.
 */
#define RAMDISK_OFFSET (128ull << 20)
/* A kernel without an arm64 Image header. */
#define RAW_OFFSET 0x80000ull
/* An Image that names a smaller text offset is moved up by a block, as QEMU does. */
#define TEXT_OFFSET_MIN 0x1000ull
/* Images from before Linux 3.17 have no image_size and assume this text offset. */
#define OLD_TEXT_OFFSET 0x80000ull

/* Header of an arm64 Image: Linux, Documentation/arch/arm64/booting.rst. */
#define IMAGE_TEXT_OFFSET 8
#define IMAGE_SIZE	  16
#define IMAGE_MAGIC	  56
#define IMAGE_HEADER_SIZE 64

static uint64_t round_up(uint64_t value)
{
	return (value + BLOCK - 1) / BLOCK * BLOCK;
}

static uint64_t read_le64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--) {
		value = value << 8 | bytes[i];
	}
	return value;
}

/* --- files ---------------------------------------------------------------------------------- */

static const struct image *find_image(const struct image_set *set, const char *file,
				      struct bytes content)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct image *image = &set->images[i];

		if (strcmp(image->file, file) == 0 ||
		    (content.data && image->content.size == content.size &&
		     memcmp(image->content.data, content.data, content.size) == 0)) {
			return image;
		}
	}
	return NULL;
}

static const struct image *load_image(struct image_set *set, const struct partition *partition,
				      const char *type, const char *file, struct report *report)
{
	const struct image *image = find_image(set, file, (struct bytes){0});
	const char *trouble = file_trouble(file);
	unsigned number = 0;

	if (image) {
		return image;
	}
	if (trouble) {
		report_add(report, SEVERITY_WARNING, partition->path, "%s file \"%s\" %s", type,
			   file, trouble);
		report_fix(report, "%s; names are relative to the current folder",
			   access(file, F_OK) == 0
				   ? "name a file that you may read"
				   : "make it ('make setup all' makes the examples' files)");
		set->missing++;
		return NULL;
	}

	struct bytes content = file_read(file);

	image = find_image(set, file, content);
	if (image) {
		return image;
	}
	for (unsigned i = 0; i < set->count; i++) {
		number += strcmp(set->images[i].type, type) == 0;
	}
	set->images[set->count] = (struct image){
		.name = keep_printf("%s-%u", type, number),
		.type = type,
		.file = file,
		.content = content,
	};
	return &set->images[set->count++];
}

uint64_t images_fit_size(const struct image_set *set)
{
	uint64_t size = set->missing ? 64ull << 20 : 0;

	for (unsigned i = 0; i < set->count; i++) {
		size += set->images[i].content.size;
	}
	return round_up(size + (1ull << 20));
}

/* --- layout --------------------------------------------------------------------------------- */

/* Why these bytes cannot be a kernel; NULL when they may be one. */
static const char *not_bootable(struct bytes kernel)
{
	static const struct {
		const char *magic, *why;
		size_t at, size;
	} known[] = {
		{"\x7f"
		 "ELF",
		 "an ELF file; make a raw binary of it with objcopy -O binary", 0, 4},
		{"\x1f\x8b", "compressed with gzip; unpack it", 0, 2},
		{"zimg", "an EFI program with a compressed kernel inside; give the arm64 Image", 4,
		 4},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (kernel.size >= known[i].at + known[i].size &&
		    memcmp(kernel.data + known[i].at, known[i].magic, known[i].size) == 0) {
			return known[i].why;
		}
	}
	return kernel.size == 0 ? "empty; build it again" : NULL;
}

/* Sets where the kernel goes; returns how much memory it takes from there. */
static uint64_t place_kernel(struct bytes kernel, struct layout *layout)
{
	uint64_t offset = RAW_OFFSET, size = kernel.size;

	if (size >= IMAGE_HEADER_SIZE && memcmp(kernel.data + IMAGE_MAGIC, "ARM\x64", 4) == 0) {
		uint64_t image_size = read_le64(kernel.data + IMAGE_SIZE);

		offset = image_size ? read_le64(kernel.data + IMAGE_TEXT_OFFSET) : OLD_TEXT_OFFSET;
		offset += offset < TEXT_OFFSET_MIN ? BLOCK : 0;
		size = image_size > size ? image_size : size;
	}
	layout->kernel_load = GUEST_RAM_BASE + offset;
	layout->entry = layout->kernel_load;
	return offset > MACHINE_MEMORY_MAX || size > MACHINE_MEMORY_MAX ? MACHINE_MEMORY_MAX : size;
}

static void lay_out(struct partition *partition, struct report *report)
{
	struct layout *layout = &partition->layout;
	uint64_t memory = partition->memory_size;
	uint64_t kernel_size = place_kernel(partition->kernel_image->content, layout);
	uint64_t ramdisk_offset = memory / 2 < RAMDISK_OFFSET ? memory / 2 : RAMDISK_OFFSET;
	uint64_t next = round_up(GUEST_RAM_BASE + ramdisk_offset);

	if (kernel_size == MACHINE_MEMORY_MAX) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "the header of \"%s\" makes no sense", partition->kernel);
		report_fix(report, "build the kernel again");
		return;
	}
	if (next < layout->kernel_load + kernel_size) {
		next = round_up(layout->kernel_load + kernel_size);
	}
	if (partition->ramdisk_image) {
		layout->ramdisk_load = next;
		layout->ramdisk_size = partition->ramdisk_image->content.size;
		next = round_up(next + layout->ramdisk_size);
	}
	layout->dtb_load = next;

	/* The guest's device tree is far smaller than a block. */
	uint64_t needed = next + BLOCK - GUEST_RAM_BASE;

	if (memory && needed > memory) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "kernel, ramdisk and device tree need 0x%llx bytes, but memory-size is "
			   "0x%llx",
			   (unsigned long long)needed, (unsigned long long)memory);
		report_fix(report, "give the partition more memory or a smaller image");
	}
}

void images_load(struct config *config, struct image_set *set, struct report *report)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		struct partition *partition = &config->partitions[i];

		if (partition->kernel) {
			partition->kernel_image =
				load_image(set, partition, "kernel", partition->kernel, report);
		}
		if (partition->ramdisk) {
			partition->ramdisk_image =
				load_image(set, partition, "ramdisk", partition->ramdisk, report);
		}
		if (!partition->kernel_image) {
			continue;
		}

		const char *why = not_bootable(partition->kernel_image->content);

		if (why) {
			report_add(report, SEVERITY_RULE, partition->path,
				   "kernel \"%s\" cannot be started", partition->kernel);
			report_fix(report, "it is %s", why);
		} else {
			lay_out(partition, report);
		}
	}
}
