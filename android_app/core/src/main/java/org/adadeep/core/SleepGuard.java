package org.adadeep.core;

/** Notices that the device slept: the clock that goes on then ran ahead of the other. */
final class SleepGuard {
    private static final long SLEPT_NS = 1000000000L;

    private final Clocks clocks;
    private final long apart;

    SleepGuard(Clocks clocks) {
        this.clocks = clocks;
        apart = apart();
    }

    private long apart() {
        long boot = clocks.boot();
        return boot == Clocks.UNKNOWN ? 0 : boot - clocks.now();
    }

    /**
     * Compares the clocks.
     *
     * @throws WireError `slept`.
     */
    void look() {
        long sleptNs = apart() - apart;
        if (sleptNs > SLEPT_NS) {
            throw new WireError(ErrorCode.SLEPT, "the device slept for "
                    + Math.round(sleptNs / 1e9) + " s while it measured");
        }
    }
}
