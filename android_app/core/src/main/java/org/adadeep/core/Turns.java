package org.adadeep.core;

import java.util.Arrays;
import java.util.List;

/** In what groups, and when it is enough: exact rules that every agent repeats. Pure. */
public final class Turns {
    // 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
    private static final double[] QUANTILES = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
        2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
        2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    };

    private Turns() {}

    /**
     * How many runs are timed as one.
     *
     * @param runNs what a run takes, about.
     * @param clockNs the clock's resolution or what reading it costs, whichever is more.
     * @param blockNs of a block.
     * @param plan `group` and `block_timings` of it.
     */
    public static int groupSize(double runNs, double clockNs, double blockNs, Message plan) {
        double run = Math.max(Math.max(runNs, clockNs / 100), 1); // may be too short for the clock
        double forTheClock = Math.ceil(plan.number("group") * clockNs / run);
        double forTheList = Math.ceil(blockNs / (run * plan.number("block_timings")));
        return (int) Math.max(1, Math.max(forTheClock, forTheList));
    }

    /** The 97.5 % quantile of Student's t. */
    public static double quantile(int df) {
        return df <= QUANTILES.length ? QUANTILES[df - 1] : 1.96 + 2.42 / df;
    }

    /** The middle one, or the mean of the two in the middle. */
    public static double median(double[] values) {
        double[] ordered = values.clone();
        Arrays.sort(ordered);
        return (ordered[(ordered.length - 1) / 2] + ordered[ordered.length / 2]) / 2;
    }

    static double median(long[] values) {
        long[] ordered = values.clone();
        Arrays.sort(ordered);
        return ((double) ordered[(ordered.length - 1) / 2] + ordered[ordered.length / 2]) / 2;
    }

    static double median(List<Double> values) {
        double[] copy = new double[values.size()];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = values.get(i);
        }
        return median(copy);
    }

    /**
     * What a placement says, one number for each interval of the stop rule.
     *
     * <p>Of one model the logarithm of the median of its blocks; of several, for each but the
     * first, the median over the rounds of how much longer the first took, as a logarithm.
     *
     * @param mediansNs for each model in the request's order: of a run, by round.
     */
    public static double[] placementLogs(double[][] mediansNs) {
        if (mediansNs.length == 1) {
            return new double[] {Math.log(median(mediansNs[0]))};
        }
        double[] said = new double[mediansNs.length - 1];
        for (int other = 1; other < mediansNs.length; other++) {
            double[] logs = new double[mediansNs[0].length];
            for (int round = 0; round < logs.length; round++) {
                logs[round] = Math.log(mediansNs[0][round]) - Math.log(mediansNs[other][round]);
            }
            said[other - 1] = median(logs);
        }
        return said;
    }

    /**
     * Half the width of the widest 95 % t interval of the means of some series; null of fewer than
     * two placements.
     *
     * @param placements what each said ({@link #placementLogs}).
     */
    public static Double halfWidth(List<double[]> placements) {
        int count = placements.size();
        if (count < 2) {
            return null;
        }
        double widest = 0;
        for (int series = 0; series < placements.get(0).length; series++) {
            double mean = 0;
            for (double[] said : placements) {
                mean += said[series] / count;
            }
            double variance = 0;
            for (double[] said : placements) {
                variance += (said[series] - mean) * (said[series] - mean) / (count - 1);
            }
            widest = Math.max(widest, quantile(count - 1) * Math.sqrt(variance / count));
        }
        return widest;
    }

    /**
     * Why a session ends after a placement; null if it goes on.
     *
     * @param placements that are done.
     * @param width {@link #halfWidth} of them.
     * @param elapsedMs since the first load.
     * @param plan `half_width`, `least_placements`, `placements` and `max_ms` of it.
     */
    public static String ended(int placements, Double width, double elapsedMs, Message plan) {
        double wanted = plan.number("half_width");
        boolean mayBeNarrow = wanted > 0 && placements >= plan.number("least_placements");
        if (mayBeNarrow && width != null && width <= wanted) {
            return "narrow";
        }
        if (placements >= plan.number("placements")) {
            return "placements";
        }
        return elapsedMs >= plan.number("max_ms") ? "time" : null;
    }
}
