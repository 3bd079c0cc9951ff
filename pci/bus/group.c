/* SPDX-License-Identifier: BSD-2-Clause */
#include "pci_group.h"

static bool is_upstream(const struct pci_group_node *node)
{
	return node->bridge && node->express_type == PCI_EXPRESS_UPSTREAM;
}

/* One port through which a switch turns requests around opens all of it: they come out of any. */
static void fuse_switches(struct pci_group_node *nodes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct pci_group_node *node = &nodes[i];
		struct pci_group_node *above =
			node->parent == PCI_GROUP_ROOT ? NULL : &nodes[node->parent];

		if (above && is_upstream(above)) {
			above->fused |= !node->isolates || !node->bridge ||
					node->express_type != PCI_EXPRESS_DOWNSTREAM;
		}
	}
}

/* The end of the device that begins at `first`; `apart`: each of its functions has ACS. */
static unsigned device_end(const struct pci_group_node *nodes, unsigned count, unsigned first,
			   bool *apart)
{
	const struct pci_group_node *node = &nodes[first];
	bool link = node->parent != PCI_GROUP_ROOT &&
		    pci_express_is_link(nodes[node->parent].express_type);
	unsigned end = first;

	*apart = true;
	while (end < count && nodes[end].parent == node->parent &&
	       (link || (nodes[end].rid ^ node->rid) >> 3 == 0)) {
		*apart &= nodes[end++].isolates;
	}
	*apart |= end == first + 1;
	return end;
}

/* Does what comes from below this bridge always go up? */
static bool passes_up(const struct pci_group_node *bridge)
{
	return is_upstream(bridge) ||
	       (pci_express_is_link(bridge->express_type) && bridge->isolates);
}

void pci_group(struct pci_group_node *nodes, unsigned count)
{
	bool apart;

	fuse_switches(nodes, count);
	for (unsigned first = 0, end; first < count; first = end) {
		const struct pci_group_node *above =
			nodes[first].parent == PCI_GROUP_ROOT ? NULL : &nodes[nodes[first].parent];

		end = device_end(nodes, count, first, &apart);
		for (unsigned i = first; i < end; i++) {
			struct pci_group_node *node = &nodes[i];
			bool joined = above && above->fused;

			node->group = (uint16_t)(apart ? i : first);
			node->group = joined ? above->group : node->group;
			node->fused |= node->bridge && (joined || !apart || !passes_up(node));
		}
	}
}
