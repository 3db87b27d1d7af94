package org.adadeep.core;

import java.util.Arrays;

/** What tells times and places; tests give other ones. Allocates nothing. */
public abstract class Clocks {
    /** What the kernel does not tell. */
    public static final long UNKNOWN = Long.MIN_VALUE;

    private static final int LOOKS = 2000;

    /** Monotonic, in ns. */
    public abstract long now();

    /** Goes on while the device sleeps, in ns; or unknown. */
    public abstract long boot();

    /** Processor time of this process, in ns; or unknown. */
    public abstract long cpu();

    /** The core in use; or unknown. */
    public abstract long core();

    /** The smallest step that `now` was seen to take, and what reading it costs; ns, 1 or more. */
    public final long[] quality() {
        long[] seen = new long[LOOKS + 1];
        for (int i = 0; i <= LOOKS; i++) {
            seen[i] = now();
        }
        long[] steps = new long[LOOKS];
        int count = 0;
        for (int i = 0; i < LOOKS; i++) {
            if (seen[i + 1] > seen[i]) {
                steps[count++] = seen[i + 1] - seen[i];
            }
        }
        Arrays.sort(steps, 0, count);
        long cost = (seen[LOOKS] - seen[0]) / LOOKS;
        return new long[] {count == 0 ? 1 : steps[0], Math.max(1, cost)};
    }
}
