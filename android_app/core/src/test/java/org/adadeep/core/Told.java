package org.adadeep.core;

import java.util.ArrayList;
import java.util.List;

/** Keeps what a session tells; ends it at a check, if asked to. */
final class Told implements Hooks {
    final List<Message> parts = new ArrayList<Message>();
    final List<Message> progress = new ArrayList<Message>();
    int checks;
    int cancelAt = Integer.MAX_VALUE;

    @Override
    public void check() {
        if (++checks > cancelAt) {
            throw new Cancelled();
        }
    }

    @Override
    public void progress(Message fields) {
        progress.add(fields);
    }

    @Override
    public void part(Message fields) {
        parts.add(fields);
    }
}
