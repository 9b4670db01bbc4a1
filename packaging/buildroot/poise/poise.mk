################################################################################
#
# poise
#
################################################################################

POISE_VERSION = 0.2.0
# The sources are those that this file lies in.
POISE_SITE = $(BR2_EXTERNAL_POISE_PATH)/../..
POISE_SITE_METHOD = local
POISE_LICENSE = MIT, MIT or GPL-2.0 (kernel module)
POISE_LICENSE_FILES = LICENSE LICENSES/GPL-2.0-only.txt
POISE_INSTALL_STAGING = YES

POISE_MAKE_OPTS = \
	$(TARGET_CONFIGURE_OPTS) \
	SETUP=no \
	OUT=build-target \
	PREFIX=/usr \
	WERROR= \
	XEN=no

POISE_GOALS = lib

ifeq ($(BR2_PACKAGE_POISE_DAEMON),y)
POISE_DEPENDENCIES += host-pkgconf jansson libconfig libevent
POISE_GOALS += daemon
ifeq ($(BR2_PACKAGE_XEN_TOOLS),y)
POISE_DEPENDENCIES += dtc xen
POISE_MAKE_OPTS += XEN=yes
endif

define POISE_INSTALL_TARGET_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(POISE_MAKE_OPTS) \
		DESTDIR=$(TARGET_DIR) UNITDIR=/usr/lib/systemd/system install-daemon
endef
endif

define POISE_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(POISE_MAKE_OPTS) $(POISE_GOALS)
endef

define POISE_INSTALL_STAGING_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(POISE_MAKE_OPTS) \
		DESTDIR=$(STAGING_DIR) install-lib
endef

ifeq ($(BR2_PACKAGE_POISE_MODULE),y)
POISE_MODULE_SUBDIRS = guestdrv/linux
$(eval $(kernel-module))
endif

$(eval $(generic-package))
