package org.adadeep.core;

/** The codes of `error` messages; `PROTOCOL.md` says what each means. */
public final class ErrorCode {
    public static final String VERSION = "version_mismatch";
    public static final String BAD_MESSAGE = "bad_message";
    public static final String BUSY = "busy";
    public static final String NO_RUNTIME = "no_runtime";
    public static final String MODEL_MISSING = "model_missing";
    public static final String MODEL_DAMAGED = "model_damaged";
    public static final String MODEL_CORRUPT = "model_corrupt";
    public static final String RUN_FAILED = "run_failed";
    public static final String OPEN_SHAPE = "open_shape";
    public static final String UNSUPPORTED_OP = "unsupported_op";
    public static final String BAD_INPUT = "bad_input";
    public static final String BAD_CORE_MASK = "bad_core_mask";
    public static final String OUT_OF_MEMORY = "out_of_memory";
    public static final String CLOCK_JUMPED = "clock_jumped";
    public static final String SLEPT = "slept";
    public static final String CANCELLED = "cancelled";
    public static final String INTERNAL = "internal";

    private ErrorCode() {}
}
