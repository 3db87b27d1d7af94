package org.adadeep.core;

import java.util.Arrays;

/**
 * Runs of a model one after the other, timed. Nothing is done between two timed runs but reading
 * the clock and looking for a cancel: nothing is allocated, so that no garbage is collected.
 */
final class Runs {
    private static final int FIRST_ROOM = 512; // timings; more is got between two of them

    private final Clocks clocks;
    private final Hooks hooks;

    Runs(Clocks clocks, Hooks hooks) {
        this.clocks = clocks;
        this.hooks = hooks;
    }

    /** What is done between two timings. */
    interface Between {
        void timings();
    }

    private static WireError jumped(long spentNs) {
        return new WireError(ErrorCode.CLOCK_JUMPED,
                "the device's clock is of no use: by it a run took " + spentNs + " ns");
    }

    /** Runs it once; the time in ns. */
    long one(LoadedModel model) {
        return several(model, 1);
    }

    /** Runs it so often; the time of all in ns. */
    private long several(LoadedModel model, int count) {
        try {
            long began = clocks.now();
            for (int i = 0; i < count; i++) {
                model.invoke();
            }
            return clocks.now() - began;
        } catch (OutOfMemoryError error) {
            throw LoadedModel.runError(error);
        } catch (RuntimeException error) {
            throw LoadedModel.runError(error);
        }
    }

    /** Runs until a number of runs and a time in ns are reached, both; the first one's time. */
    long dropped(LoadedModel model, int runs, double leastNs) {
        long first = Clocks.UNKNOWN;
        long began = clocks.now();
        for (int count = 0; count < runs || clocks.now() - began < leastNs; count++) {
            hooks.check();
            long spent = one(model);
            if (spent < 0) {
                throw jumped(spent);
            }
            first = count == 0 ? spent : first;
        }
        return first;
    }

    /** Times runs in groups until a time in ns or a number of timings is reached; at least one. */
    long[] timed(LoadedModel model, int group, double blockNs, int most, Between between) {
        long[] times = new long[Math.min(most, FIRST_ROOM)];
        int count = 0;
        long total = 0;
        while (true) {
            long spent = several(model, group);
            if (spent <= 0) {
                throw jumped(spent);
            }
            if (count == times.length) {
                times = Arrays.copyOf(times, 2 * count);
            }
            times[count++] = spent;
            total += spent;
            if (total >= blockNs || count >= most) {
                return Arrays.copyOf(times, count);
            }
            between.timings();
        }
    }
}
