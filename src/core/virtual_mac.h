/*
 * The MAC address that the standard gives to a virtual router (RFC 9568 7.3), the name of the device
 * that bears it here, and the frames of advertisements that come from it.
 *
 * A backup must be able to say "virtual router 51" with no device up, and an active that has just
 * taken its device down must still resign: so an advertisement is a frame of our own making, sent
 * through the interface below, with the virtual MAC as its source.
 */
#ifndef TANDEM_CORE_VIRTUAL_MAC_H
#define TANDEM_CORE_VIRTUAL_MAC_H

#include "base/addr.h"
#include "base/limits.h"
#include "core/vrrp.h"

#include <stddef.h>

enum { VRRP_FRAME_HEADERS = 14 + 40 }; /* Ethernet and the longer of the two IP headers */

/* 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6. */
void virtual_mac(enum ip_family family, uint8_t vrid, uint8_t mac[6]);
/* "00:00:5e:00:01:33" */
enum { MAC_TEXT = 18 };
const char *virtual_mac_format(const uint8_t mac[6], char text[MAC_TEXT]);
/*
 * "vrrp.51.eth0", for IPv6 "vrrp6.51.eth0": one name for each family, VRID and interface, on every
 * start and node the same. A long name of an interface is replaced by five letters out of it.
 */
void virtual_mac_device(enum ip_family family, uint8_t vrid, const char interface[LIMIT_IFNAME],
	char name[LIMIT_IFNAME]);
/*
 * The whole frame of a multicast advertisement (RFC 9568 5.1): TTL or hop limit 255, class CS6, to
 * the group's MAC address, message of `length` bytes with its checksum in place. The envelope's
 * source and destination are of one family. The frame's length, or 0 when it does not fit.
 */
size_t vrrp_frame(const uint8_t mac[6], const struct vrrp_envelope *envelope,
	const uint8_t *message, size_t length, uint8_t *out, size_t capacity);

#endif
