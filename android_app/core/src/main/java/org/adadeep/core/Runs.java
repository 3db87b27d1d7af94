package org.adadeep.core;

import java.util.Arrays;

/**
 * Runs of a model one after the other, timed. Nothing is done between two timed runs but reading
 * the clock and looking for a cancel: nothing is allocated, so that no garbage is collected.
 */
final class Runs {
    private static final int FIRST_ROOM = 512; // timings; more is got between two of them
    private static final long LOOK_NS = 1000000; // of timed runs between two looks for a cancel

    private final Clocks clocks;
    private final Hooks hooks;

    Runs(Clocks clocks, Hooks hooks) {
        this.clocks = clocks;
        this.hooks = hooks;
    }

    /** What is done between two timings, once in a millisecond or after a longer one. */
    interface Between {
        void timings();
    }

    private static WireError jumped(long spentNs) {
        return new WireError(ErrorCode.CLOCK_JUMPED,
                "the device's clock is of no use: by it a run took " + spentNs + " ns");
    }

    /** Runs it once; the time in ns. */
    long one(LoadedModel model) {
        long began = clocks.now();
        invoke(model, 1);
        return clocks.now() - began;
    }

    private static void invoke(LoadedModel model, int count) {
        try {
            for (int i = 0; i < count; i++) {
                model.invoke();
            }
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
        long ended = began;
        for (int count = 0; count < runs || ended - began < leastNs; count++) {
            hooks.check();
            invoke(model, 1);
            long last = ended;
            ended = clocks.now();
            long spent = ended - last;
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
        long looked = 0;
        while (true) {
            long began = clocks.now();
            invoke(model, group);
            long spent = clocks.now() - began;
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
            if (total - looked >= LOOK_NS) {
                looked = total;
                between.timings();
            }
        }
    }
}
