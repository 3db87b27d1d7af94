package org.adadeep.core;

/** What a session tells while it goes on; each may throw to end it. */
public interface Hooks {
    /** Called between runs; allocates nothing. */
    void check();

    /** Takes the fields of a `progress`. */
    void progress(Message fields);

    /** Takes the fields of a `part`. */
    void part(Message fields);
}
