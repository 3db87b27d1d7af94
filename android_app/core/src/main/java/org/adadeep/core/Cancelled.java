package org.adadeep.core;

/** The host does not want the result any more. */
final class Cancelled extends RuntimeException {
    private static final long serialVersionUID = 1;

    Cancelled() {
        super("cancelled by the host");
    }
}
