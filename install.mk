# SPDX-License-Identifier: MIT
# What is installed, and where. Included by the top Makefile after all others.
#
# DESTDIR stands in front of every place, for who packs. Each place may be given on the command line or in
# the environment.

DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
DOCDIR ?= $(DATADIR)/doc/poise
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Where DKMS looks for sources.
SRCDIR ?= /usr/src
PLACES := PREFIX BINDIR SBINDIR LIBDIR INCLUDEDIR DATADIR MANDIR DOCDIR PKGCONFIGDIR SYSCONFDIR UNITDIR SRCDIR
$(foreach p,$(PLACES),$(call refuse,$(p),$($(p)),$(UNFIT)))
ifneq ($(findstring ',$(DESTDIR)),)
$(error DESTDIR has ' in it, which the shell takes for its own: $(DESTDIR))
endif

VERSION := $(shell sed -n 's/^.define POISE_VERSION "\(.*\)"/\1/p' core/poise.h)

# The lists: DIRECTORY:MODE:FILE. `uninstall` removes what they name.
#
# Sources are installed as they lie in this tree, since they include each other by place.
SOURCE_FILES := $(addprefix guestdrv/,publish.c publish.h bare/bare.c bare/bare.h) \
	$(addprefix port/record/,README.md record.c record.h reader.c reader.h replay.c replay.h) \
	$(addprefix port/template/,README.md port.c port.h)
HEADERS := $(CORE_HEADERS) guestdrv/publish.h port/record/record.h port/record/reader.h port/record/replay.h
INSTALL_lib := $(LIBDIR):644:$(LIB)/libpoise.a \
	$(HEADERS:%=$(INCLUDEDIR)/poise:644:%) \
	$(foreach f,$(SOURCE_FILES),$(DATADIR)/poise/$(patsubst %/,%,$(dir $(f))):644:$(f)) \
	$(foreach f,core/poise guestdrv/poise-guest port/record/poise-record,$(PKGCONFIGDIR):644:$(f).pc.in)
INSTALL_daemon := $(SBINDIR):755:$(POISED) \
	$(BINDIR):755:$(POISECTL) \
	$(UNITDIR):644:port/daemon/systemd/poised.service.in \
	$(MANDIR)/man1:644:port/daemon/man/poisectl.1 \
	$(MANDIR)/man5:644:port/daemon/man/poised.conf.5 \
	$(MANDIR)/man8:644:port/daemon/man/poised.8 \
	$(patsubst %,$(DOCDIR)/examples:644:%,$(wildcard port/daemon/examples/*.conf))
MODULE_SRCDIR := $(SRCDIR)/poise-guest-$(MODULE_VERSION)
INSTALL_dkms := $(MODULE_SRCDIR):644:guestdrv/linux/dkms.conf \
	$(foreach f,$(MODULE_FILES),$(MODULE_SRCDIR)/$(patsubst %/,%,$(dir $(f))):644:$(f))
INSTALL_doc := $(addprefix $(DOCDIR):644:,README.md DESIGN.md ABI.md LICENSE)

# A FILE.in has places in it, as @PREFIX@; those below the prefix of a .pc.in by its variable, so that it can
# be moved.
place = $(if $(filter-out PREFIX SYSCONFDIR SBINDIR,$(1)),$(patsubst $(PREFIX)/%,$${prefix}/%,$($(1))),$($(1)))
FILL_IN := sed $(foreach p,$(PLACES) VERSION,-e 's|@$(p)@|$(call place,$(p))|g')

# One loop for all: $(call each_of,LISTS,COMMANDS), with $$file, $$mode and $$to.
define each_of
	$(Q)for i in $(foreach l,$(1),$(INSTALL_$(l))); do \
		IFS=:; set -- $$i; file=$$3 mode=$$2; \
		to='$(DESTDIR)'$$1/$${3##*/}; to=$${to%.in}; \
		$(2) || exit 1; \
	done
endef
define put
case $$file in \
*.in) install -d "$${to%/*}" && $(FILL_IN) "$$file" >"$$to" && chmod $$mode "$$to" ;; \
*) install -D -m $$mode "$$file" "$$to" ;; \
esac && echo "  INSTALL $$to"
endef

.PHONY: install install-lib install-daemon install-doc install-dkms uninstall
# For a hypervisor (CROSS=...) there is no daemon.
install: install-lib $(if $(filter command,$(origin CROSS)),,install-daemon) install-doc ## install-lib, -daemon and -doc, to $(DESTDIR)$(PREFIX); places: install.mk

install-lib: $(LIB)/libpoise.a ## library, headers, pkg-config files; guest driver, recorder and template as source
	$(call each_of,lib,$(put))

install-daemon: $(POISED) $(POISECTL) ## poised, poisectl, service, man pages and examples
	$(call each_of,daemon,$(put))

install-doc: ## README.md, DESIGN.md, ABI.md
	$(call each_of,doc,$(put))

install-dkms: ## the module's sources for DKMS to $(DESTDIR)/usr/src/poise-guest-N
	$(call each_of,dkms,$(put))

uninstall: ## removes what all of these have installed, with the same DESTDIR and places
	$(call each_of,lib daemon doc dkms,rm -f "$$to")
	$(Q)for d in $(INCLUDEDIR)/poise $(DATADIR)/poise $(DOCDIR) $(MODULE_SRCDIR); do \
		[ ! -d '$(DESTDIR)'$$d ] || find '$(DESTDIR)'$$d -depth -type d -empty -delete || exit 1; \
	done
