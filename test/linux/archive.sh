# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Read by `.`: where this machine's apt gets its packages from, for whoever unpacks others elsewhere.

# The code name of this machine's release.
archive_release() {
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# archive_sources RELEASE: sources.list for it. Only Debian's own archives of this machine's release:
# others need not know arm64. Their suites are named alike in each release.
archive_sources() {
	archive_own=$(archive_release)
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' \
		'Origin: Debian' 'Component: main' | sort -u |
		sed -nE "s/ ${archive_own:-none}(-updates|-security)? / $1\1 /p"
}

# The same proxy, if it has one.
archive_conf() {
	apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Retries)[: ]' || true
}

# What to say when there are no sources.
# shellcheck disable=SC2034 # for whoever reads this
archive_none="apt knows no archive of this machine's Debian: check its sources, run 'apt-get update' as root;\
 elsewhere than on Debian there are none"
