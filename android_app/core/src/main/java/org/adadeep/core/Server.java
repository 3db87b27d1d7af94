package org.adadeep.core;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Serves one host: requests in, one at a time served, sessions spooled and out.
 *
 * <p>It outlives its host: it finishes the session in hand, spools it and goes when nobody is there
 * to read it. A lock sees to it that two agents never measure at once.
 */
public final class Server {
    private static final List<String> FEATURES =
            Arrays.asList("cold", "commands", "group", "read_block");
    private static final int REFUSED = 3;
    private static final int ENVELOPE = 100; // bytes of a result beside its fields, at most

    /** Gives what is measured with, once the device is ours. */
    public interface Opening {
        /**
         * Looks for the runtime.
         *
         * @throws WireError `no_runtime`.
         */
        Device open();
    }

    private final File workdir;
    private final Channel channel;
    private final Identity identity;
    private final Opening opening;
    private final Spool spool;
    private final File models;
    private Device device;
    private boolean isWarm; // whether something was measured already

    /**
     * @param workdir the agent's folder; `spool/`, `models/` and the lock are in it.
     * @param channel to the host, open.
     * @param identity of this agent.
     * @param opening asked once.
     */
    public Server(File workdir, Channel channel, Identity identity, Opening opening) {
        this.workdir = workdir;
        this.channel = channel;
        this.identity = identity;
        this.opening = opening;
        spool = new Spool(new File(workdir, "spool"));
        models = new File(workdir, "models");
        models.mkdirs();
    }

    /** Serves until the host says bye or is gone; returns the exit status. */
    public int serve() throws IOException {
        try {
            Message hello = greeting();
            DeviceLock lock = DeviceLock.taken(new File(workdir, "lock"),
                    hello.number("wait_ms", 0), channel, identity.pid);
            try {
                tidy();
                device = opening.open();
                send(welcome());
                loop();
            } finally {
                removeModels(); // only who holds the lock may: they are its own
                lock.close();
            }
        } catch (WireError error) {
            try {
                send(error(null, error));
            } catch (HostGone gone) {
                return REFUSED;
            }
            return REFUSED;
        } catch (HostGone gone) {
            return 0;
        }
        return 0;
    }

    private void send(Message message) {
        channel.send(Channel.line(message));
    }

    private Message greeting() {
        byte[] line = channel.nextRequest();
        if (line == null) {
            throw new HostGone("no greeting");
        }
        Message hello = Requests.decode(line);
        if (!hello.text("type").equals("hello")) {
            throw WireError.badMessage("the first message must be hello");
        }
        if (hello.number("protocol") != Requests.PROTOCOL
                || !hello.text("version").equals(identity.version)) {
            throw new WireError(ErrorCode.VERSION, "agent " + identity.version + " (protocol "
                    + Requests.PROTOCOL + ")");
        }
        return hello;
    }

    private Message welcome() {
        long[] quality = device.clocks.quality();
        return new Message()
                .with("type", "hello")
                .with("protocol", Requests.PROTOCOL)
                .with("version", identity.version)
                .with("agent", identity.name)
                .with("runtime", device.runtime.name())
                .with("runtime_version", device.runtime.version())
                .with("pid", identity.pid)
                .with("spooled", spool.jobs().size())
                .with("clock", new Message()
                        .with("resolution_ns", quality[0])
                        .with("cost_ns", quality[1]))
                .with("memory_available_bytes", Memory.available())
                .with("abi", identity.abi)
                .with("features", FEATURES);
    }

    private void loop() {
        for (byte[] line = channel.nextRequest(); line != null; line = channel.nextRequest()) {
            Message request;
            try {
                request = Requests.decode(line);
            } catch (WireError error) {
                send(error(null, error));
                continue;
            }
            if (request.text("type").equals("bye")) {
                return;
            }
            send(answer(request));
        }
    }

    private Message answer(Message request) {
        Object id = request.get("id");
        try {
            return handled(request).with("id", id);
        } catch (Cancelled error) {
            return error(id, new WireError(ErrorCode.CANCELLED, error.getMessage()));
        } catch (HostGone error) {
            throw error;
        } catch (WireError error) {
            return error(id, error);
        } catch (OutOfMemoryError error) {
            return error(id, new WireError(ErrorCode.OUT_OF_MEMORY,
                    "not enough memory on the device: " + Text.brief(error)));
        } catch (RuntimeException error) { // a fault here must reach the host, not end the agent
            error.printStackTrace();
            return error(id, new WireError(ErrorCode.INTERNAL,
                    error.getClass().getSimpleName() + ": " + Text.brief(error)));
        }
    }

    private Message handled(Message request) {
        switch (request.text("type")) {
            case "measure":
                return measured(request);
            case "read":
                return Readings.reading(request.list("read"), request.list("commands"))
                        .with("type", "reading");
            case "spool":
                return new Message().with("type", "spool").with("jobs", spool.jobs());
            case "fetch":
                return fetched(request);
            case "ack":
                spool.remove(request.list("jobs"));
                return new Message().with("type", "done");
            case "cancel":
                channel.forgetCancel();
                return new Message().with("type", "done");
            default:
                throw WireError.badMessage(request.text("type") + " is out of place");
        }
    }

    private Message fetched(Message request) {
        List<Message> found = spool.get(request.text("job"));
        Message result = found.isEmpty() ? null : found.remove(found.size() - 1);
        for (Message part : found) {
            send(new Message()
                    .with("type", "spooled_part")
                    .with("id", request.get("id"))
                    .with("part", part));
        }
        return new Message().with("type", "spooled").with("result", result);
    }

    private Message measured(Message request) {
        boolean isSpooled = request.flag("spool", true);
        Spooling spooling = isSpooled ? spool.begun(request.text("job")) : null;
        try {
            Message result = session(request, spooling);
            if (spooling != null) {
                spooling.write(Channel.line(withoutOutputs(result)));
                spooling.finish();
            }
            return result.with("type", "result");
        } finally {
            if (spooling != null) {
                spooling.drop();
            }
            for (Object item : request.list("models")) {
                Message model = (Message) item;
                if (!model.flag("keep", false)) {
                    Files.remove(new File(model.text("path")));
                }
            }
        }
    }

    /** Outputs are only for the host that asked. */
    private static Message withoutOutputs(Message result) {
        List<Message> kept = new ArrayList<Message>();
        for (Object item : result.list("models")) {
            Message model = new Message();
            model.putAll((Message) item);
            kept.add(model.with("outputs", new ArrayList<Object>()));
        }
        Message copy = new Message();
        copy.putAll(result);
        return copy.with("models", kept);
    }

    private Message session(Message request, Spooling spooling) {
        Hooks hooks = new Telling(request.get("id"), spooling);
        Message result = new Session(device, request, hooks).run(isWarm);
        isWarm = true;
        result.with("job", request.get("job")).with("agent", agent());
        boolean hasOutputs = false;
        for (Object item : request.list("models")) {
            hasOutputs |= !((Message) item).list("inputs").isEmpty();
        }
        if (hasOutputs && Json.encode(result).length() > Requests.MAX_LINE - ENVELOPE) {
            throw WireError.badInput(
                    "the outputs of so many samples are more than a message holds");
        }
        return result;
    }

    private Message agent() {
        return new Message()
                .with("name", identity.name)
                .with("version", identity.version)
                .with("runtime", device.runtime.name())
                .with("runtime_version", device.runtime.version());
    }

    /** Tells the host, and the spool, how a session goes. */
    private final class Telling implements Hooks {
        private final Object id;
        private final Spooling spooling;

        Telling(Object id, Spooling spooling) {
            this.id = id;
            this.spooling = spooling;
        }

        @Override
        public void check() {
            if (channel.isCancelled()) {
                throw new Cancelled();
            }
        }

        @Override
        public void progress(Message fields) {
            tell(Channel.line(fields.with("type", "progress").with("id", id)));
        }

        @Override
        public void part(Message fields) {
            byte[] line = Channel.line(fields.with("type", "part").with("id", id));
            if (spooling != null) {
                spooling.write(line);
            }
            tell(line);
        }

        /** Sends a line; where the host has gone, goes on for the spool. */
        private void tell(byte[] line) {
            try {
                channel.send(line);
            } catch (HostGone gone) {
                if (spooling == null) {
                    throw gone;
                }
            }
        }
    }

    /** Removes what a killed agent, or a killed host of one, left half done. */
    private void tidy() {
        spool.tidy();
        removeModels();
        File deployed = new File(workdir, "deployed");
        for (String name : Files.names(deployed)) {
            if (name.endsWith(".new") || name.startsWith(".")) {
                Files.remove(new File(deployed, name));
            }
        }
    }

    private void removeModels() {
        for (String name : Files.names(models)) {
            Files.remove(new File(models, name));
        }
    }

    private static Message error(Object id, WireError error) {
        return new Message()
                .with("type", "error")
                .with("id", id)
                .with("code", error.code)
                .with("message", error.getMessage())
                .with("model", error.model);
    }
}
