package org.adadeep.core;

/** Nobody reads the answers any more. */
final class HostGone extends RuntimeException {
    private static final long serialVersionUID = 1;

    HostGone(String why) {
        super(why);
    }
}
