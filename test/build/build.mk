# SPDX-License-Identifier: MIT
# Tests of the build itself: what compilers, packagers and cross builds meet. Included by the top Makefile
# after test/test.mk.

RUN_build-languages := test/build/languages.sh $(OUT)/build/languages $(CC) $(CXX) $(CLANG) $(CROSS)
HOST_RUNS += build-languages

RUN_build-builder := test/build/builder.sh $(MAKE) $(OUT) $(NEWLIB) $(CROSS)
HOST_RUNS += build-builder
