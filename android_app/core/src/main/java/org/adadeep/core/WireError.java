package org.adadeep.core;

/** A line that is no message of the protocol, or a request that can't be served. */
public final class WireError extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** One of {@link ErrorCode}. */
    public final String code;

    /** The name of the model that is at fault; null if none is. */
    public final String model;

    public WireError(String code, String message) {
        this(code, message, null);
    }

    private WireError(String code, String message, String model) {
        super(message);
        this.code = code;
        this.model = model;
    }

    /** The same error, blamed on a model. */
    WireError of(String name) {
        WireError error = new WireError(code, getMessage(), name);
        error.setStackTrace(getStackTrace());
        return error;
    }

    static WireError badMessage(String message) {
        return new WireError(ErrorCode.BAD_MESSAGE, message);
    }

    static WireError badInput(String message) {
        return new WireError(ErrorCode.BAD_INPUT, message);
    }
}
