# SPDX-License-Identifier: MIT
SUMMARY = "Moves memory between the virtual machines of a small machine before any of them swaps"
DESCRIPTION = "libpoise.a with its headers for a hypervisor's own port; poised and poisectl for a KVM or Xen host"
SECTION = "admin"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=5156f76e9bbbbd6342b4f9ddf65cdbd9"

# The sources are those that this file lies in.
inherit externalsrc pkgconfig systemd
EXTERNALSRC = "${@os.path.realpath(d.getVar('FILE_DIRNAME') + '/../..')}"
EXTERNALSRC_BUILD = "${WORKDIR}/build"

DEPENDS = "jansson libconfig libevent"
PACKAGECONFIG ?= "${@bb.utils.contains('DISTRO_FEATURES', 'xen', 'xen', '', d)}"
PACKAGECONFIG[xen] = "XEN=yes,XEN=no,xen-tools dtc"

COMPATIBLE_HOST = "(aarch64|x86_64).*-linux"

EXTRA_OEMAKE = " \
    -C ${S} OUT=${B} SETUP=no WERROR= ${PACKAGECONFIG_CONFARGS} \
    PREFIX=${prefix} LIBDIR=${libdir} SYSCONFDIR=${sysconfdir} UNITDIR=${systemd_system_unitdir} \
    DOCDIR=${docdir}/${BPN} MANDIR=${mandir} \
"

do_compile() {
    oe_runmake lib daemon
}

do_install() {
    oe_runmake DESTDIR=${D} install-lib install-daemon
}

# Without /etc/poise/poised.conf, which only the administrator can write, there is nothing to start.
SYSTEMD_SERVICE:${PN} = "poised.service"
SYSTEMD_AUTO_ENABLE = "disable"

FILES:${PN} += "${systemd_system_unitdir}"
FILES:${PN}-dev += "${datadir}/poise"
