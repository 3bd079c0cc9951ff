/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the config gives to too many, or in part only. All who are concerned are refused before
 * anything is touched, whoever starts first. tools/rules_groups.c says the same off-line.
 */
#include "assignment.h"

#include "log.h"

#define NAMED 8 /* functions that one refusal names */

/* Who names this function: `own` partition whole, or any other, whole or for one of its VFs. */
static const struct assignment *find(const struct assignment *a, const struct pci_function *f,
				     bool own)
{
	for (unsigned n = 0; n < glue.assignment_count; n++) {
		const struct assignment *other = &glue.assignments[n];

		if (other->function == f && partition_is(other->owner, a->owner) == own &&
		    !(own && other->request->wants_vf)) {
			return other;
		}
	}
	return NULL;
}

/* --- one function, asked for twice ----------------------------------------------------------- */

static bool check_twins(const struct assignment *a)
{
	for (unsigned n = 0; n < glue.assignment_count; n++) {
		const struct assignment *other = &glue.assignments[n];
		bool vf = a->request->wants_vf, others = other->request->wants_vf;
		const char *why = NULL;

		if (other == a || other->function != a->function) {
			continue;
		}
		if (vf != others) { /* a PF and a VF of it: somebody must drive it for others */
			why = hv_partition(vf ? other->owner : a->owner).service ? NULL
			      : vf ? "refused: a VF of the PF that %s has (%s), which is no "
				     "pf-service"
				   : "refused: a PF whose VF %s has (%s); make this partition a "
				     "pf-service";
		} else if (!vf || a->request->vf_index == other->request->vf_index) {
			why = "refused: given to %s (%s) too; it has one owner: take it from one";
		}
		if (why) {
			return assignment_error(a, why, hv_partition_name(other->owner),
						other->request->label);
		}
	}
	return true;
}

/* --- isolation groups ------------------------------------------------------------------------ */

/* A function of the group that does not come along: another's, or nobody's. */
static bool is_missing(const struct assignment *a, const struct pci_function *f)
{
	return f->group == a->function->group && f->header_type == 0 &&
	       (find(a, f, false) || !find(a, f, true));
}

/* A PF alone in its group and its VFs may have several owners: such a card keeps VFs apart. */
static bool check_group(const struct assignment *a)
{
	unsigned members = 0, missing = 0, named = 0;

	for (unsigned i = 0; i < glue.bus.function_count; i++) {
		const struct pci_function *f = &glue.bus.functions[i];

		members += f->group == a->function->group;
		missing += is_missing(a, f);
	}
	if (members == 1 || !missing) {
		return true;
	}
	assignment_error(a, "refused: it is in one isolation group with %u others", missing);
	for (unsigned i = 0; i < glue.bus.function_count && named < NAMED; i++) {
		const struct pci_function *f = &glue.bus.functions[i];

		if (is_missing(a, f)) {
			const struct assignment *other = find(a, f, false);

			log_error("  with %s, which %s has (%s); give the whole group to one "
				  "partition, or put ports with ACS above",
				  pci_name(f->rid),
				  hv_partition_name(other ? other->owner : PARTITION_NONE),
				  other ? other->request->label : "whole");
			named++;
		}
	}
	return false;
}

/* --- resets ---------------------------------------------------------------------------------- */

/*
 * The port above, when a reset of its bus hits nothing of another partition, no bridge (whose buses
 * would be lost) and no PF with VFs. Otherwise NULL, and `hit` is what it would hit, if anything.
 */
static const struct pci_function *reset_port(const struct assignment *a,
					     const struct pci_function **hit)
{
	const struct pci_function *port;

	*hit = NULL;
	if (a->function->parent == PCI_BUS_ROOT) {
		return NULL;
	}
	port = &glue.bus.functions[a->function->parent];
	for (unsigned i = port->below; i < pci_below_end(&glue.bus, port) && !*hit; i++) {
		const struct pci_function *f = &glue.bus.functions[i];

		*hit = f->header_type != 0 || find(a, f, false) || glue_pool_of(f) ? f : NULL;
	}
	return *hit ? NULL : port;
}

enum status assignment_bus_reset(const struct assignment *a)
{
	const struct pci_function *hit, *port = reset_port(a, &hit);

	return port ? pci_secondary_reset(&glue.bus, port) : STATUS_OK;
}

static bool check_reset(const struct assignment *a)
{
	const struct pci_function *hit;

	if (a->request->wants_vf || a->request->keep_without_reset || glue_pool_of(a->function) ||
	    pci_has_flr(&glue.bus, a->function->rid, a->function->caps.express) ||
	    reset_port(a, &hit)) {
		return true;
	}
	return assignment_error(a,
				"refused: it has no reset%s%s; put it behind a port of its own, or "
				"let it be its owner's for good: keep-without-reset",
				hit ? ", and that of its bus would hit " : "",
				hit ? pci_name(hit->rid) : "");
}

bool assignment_check(const struct assignment *a)
{
	return check_twins(a) && check_group(a) && check_reset(a);
}
