package org.adadeep.core;

import java.util.Collections;
import java.util.List;
import java.util.TreeMap;

/**
 * An object of JSON with its fields in ascending order.
 *
 * <p>The getters are for fields whose types were checked before ({@link Requests}); one that is not
 * there is null, or the value that is given for that case.
 */
public final class Message extends TreeMap<String, Object> {
    private static final long serialVersionUID = 1;

    /** Adds a field; returns this. */
    public Message with(String name, Object value) {
        put(name, value);
        return this;
    }

    public String text(String name) {
        return (String) get(name);
    }

    public double number(String name) {
        return ((Number) get(name)).doubleValue();
    }

    public double number(String name, double otherwise) {
        return get(name) == null ? otherwise : number(name);
    }

    /** A whole number, brought within the range of an int. */
    public int whole(String name) {
        double value = number(name); // one of more than 64 bits must not wrap around
        return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, value));
    }

    public boolean flag(String name, boolean otherwise) {
        return get(name) == null ? otherwise : (Boolean) get(name);
    }

    public Message map(String name) {
        return (Message) get(name);
    }

    /** A list; an empty one if it is not there. */
    public List<?> list(String name) {
        List<?> found = (List<?>) get(name);
        return found == null ? Collections.emptyList() : found;
    }
}
