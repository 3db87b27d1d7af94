package org.adadeep.core;

/** The version of adadeep that this was built with; `scripts/build_android.py` tells it. */
public final class Version {
    public static final String TEXT = "${adadeep.version}";

    private Version() {}
}
