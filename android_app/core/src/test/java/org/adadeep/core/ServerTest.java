package org.adadeep.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

public final class ServerTest {
    private static final String JOB = "0a0a0a0a-0123456789abcdef";

    @Rule public final TemporaryFolder folder = new TemporaryFolder();
    @Rule public final Timeout timeout = Timeout.seconds(60);

    private final List<Host> hosts = new ArrayList<Host>();
    private FakeDevice fake;
    private Requested requested;

    /** A host's end, and a server in a thread. */
    private final class Host extends Thread {
        private final PipedOutputStream requests = new PipedOutputStream();
        private final PipedInputStream replies = new PipedInputStream(1 << 20);
        private final BufferedReader lines;
        private final Server server;
        volatile Integer status;

        Host(final WireError noRuntime) throws IOException {
            Channel channel = new Channel(
                    new PipedInputStream(requests, 1 << 20), new PipedOutputStream(replies));
            channel.open();
            lines = new BufferedReader(new InputStreamReader(replies, Text.ASCII));
            Identity identity = new Identity("android-java", "1.2", "x86_64", 4711);
            server = new Server(folder.getRoot(), channel, identity, new Server.Opening() {
                @Override
                public Device open() {
                    if (noRuntime != null) {
                        throw noRuntime;
                    }
                    return fake.device;
                }
            });
            hosts.add(this);
            start();
        }

        @Override
        public void run() {
            try {
                status = server.serve();
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }

        void send(Message message) throws IOException {
            requests.write(Channel.line(message));
            requests.flush();
        }

        void send(String json) throws IOException {
            send((Message) Json.parse(json));
        }

        Message reply() throws IOException {
            return (Message) Json.parse(lines.readLine());
        }

        /** The reply that ends a request; those on the way go into a list. */
        Message answer(Message request, List<Message> onTheWay) throws IOException {
            send(request);
            Message reply = reply();
            while (Arrays.asList("part", "progress", "spooled_part").contains(reply.text("type"))) {
                onTheWay.add(reply);
                reply = reply();
            }
            return reply;
        }

        Message answer(String json) throws IOException {
            return answer((Message) Json.parse(json), new ArrayList<Message>());
        }

        Message hello() throws IOException {
            return answer("{\"type\":\"hello\",\"protocol\":5,\"version\":\"1.2\"}");
        }

        int ended() throws InterruptedException {
            join(20000);
            return status;
        }
    }

    @Before
    public void aModel() throws IOException {
        fake = new FakeDevice();
        File models = folder.newFolder("models");
        requested = new Requested(models);
    }

    @After
    public void closeAll() throws IOException, InterruptedException {
        for (Host host : hosts) {
            host.requests.close();
            host.join(20000);
        }
    }

    private Host greeted() throws IOException {
        Host host = new Host(null);
        assertEquals("hello", host.hello().text("type"));
        return host;
    }

    /** Removed by a server that begins: written after that. */
    private File model() throws IOException {
        return new File(requested.model("m"));
    }

    private List<String> spooled() {
        return Arrays.asList(Files.names(new File(folder.getRoot(), "spool")));
    }

    @Test
    public void itSaysWhatItIs() throws Exception {
        Message hello = new Host(null).hello();
        assertEquals("android-java fake 1 x86_64 5", hello.text("agent") + " "
                + hello.text("runtime") + " " + hello.text("runtime_version") + " "
                + hello.text("abi") + " " + hello.whole("protocol"));
        assertEquals(4711, hello.whole("pid"));
        assertEquals(FakeDevice.CLOCK_NS, hello.map("clock").whole("resolution_ns"));
        assertEquals(Arrays.asList("cold", "commands", "group", "read_block"),
                hello.list("features"));
    }

    @Test
    public void anotherVersionOrProtocolEndsIt() throws Exception {
        for (String hello : Arrays.asList(
                "{\"type\":\"hello\",\"protocol\":5,\"version\":\"1.3\"}",
                "{\"type\":\"hello\",\"protocol\":4,\"version\":\"1.2\"}")) {
            Host host = new Host(null);
            Message error = host.answer(hello);
            assertEquals(ErrorCode.VERSION, error.text("code"));
            assertEquals("agent 1.2 (protocol 5)", error.text("message"));
            assertEquals(3, host.ended());
        }
    }

    @Test
    public void withoutARuntimeItEnds() throws Exception {
        Host host = new Host(new WireError(ErrorCode.NO_RUNTIME, "none"));
        assertEquals(ErrorCode.NO_RUNTIME, host.hello().text("code"));
        assertEquals(3, host.ended());
    }

    @Test
    public void oneHasTheDeviceAndTheOtherHearsWho() throws Exception {
        greeted();
        Host other = new Host(null);
        Message error = other.answer(
                "{\"type\":\"hello\",\"protocol\":5,\"version\":\"1.2\",\"wait_ms\":60}");
        assertEquals(ErrorCode.BUSY, error.text("code"));
        assertTrue(error.text("message"), error.text("message").contains("process 4711"));
        assertEquals(3, other.ended());
    }

    @Test
    public void whoWaitsForItGetsTheDevice() throws Exception {
        Host first = greeted();
        Host second = new Host(null);
        second.send("{\"type\":\"hello\",\"protocol\":5,\"version\":\"1.2\",\"wait_ms\":30000}");
        first.send("{\"type\":\"bye\"}");
        assertEquals("hello", second.reply().text("type"));
    }

    @Test
    public void aSessionIsSpooledUntilItIsAcknowledged() throws Exception {
        Host host = greeted();
        File model = model();
        List<Message> parts = new ArrayList<Message>();
        Message result = host.answer(requested.measure(JOB), parts);
        assertEquals("result", result.text("type"));
        assertEquals(2, parts.size());
        assertEquals(Arrays.asList(JOB + ".jsonl"), spooled());
        assertFalse("its model is gone", model.exists());
        host.send("{\"type\":\"bye\"}");
        assertEquals(0, host.ended());

        Host next = greeted();
        assertEquals("{\"id\":1,\"jobs\":[\"" + JOB + "\"],\"type\":\"spool\"}",
                Json.encode(next.answer("{\"type\":\"spool\",\"id\":1}")));
        List<Message> again = new ArrayList<Message>();
        Message fetch = new Message().with("type", "fetch").with("id", 2).with("job", JOB);
        Message spooled = next.answer(fetch, again);
        result.remove("id");
        result.remove("type");
        assertEquals(Json.encode(result), Json.encode(spooled.get("result")));
        assertEquals(Json.encode(parts.get(1)), Json.encode(again.get(1).get("part")));
        next.answer("{\"type\":\"ack\",\"id\":3,\"jobs\":[\"" + JOB + "\",\"../../x\",5]}");
        assertTrue(spooled().isEmpty());
        assertNull(next.answer(fetch, again).get("result"));
    }

    @Test
    public void whatIsNotToBeKeptIsNotSpooledAndWhatIsIsKept() throws Exception {
        Host host = greeted();
        File model = model();
        requested.models.get(0).with("keep", true);
        Message result = host.answer(requested.measure(JOB).with("spool", false),
                new ArrayList<Message>());
        assertEquals("result", result.text("type"));
        assertTrue(spooled().isEmpty());
        assertTrue(model.exists());
        host.send("{\"type\":\"bye\"}");
        host.ended();
        assertFalse("it goes with the agent", model.exists());
    }

    @Test
    public void aSessionThatFailsLeavesNothingBehind() throws Exception {
        Host host = greeted();
        File model = model();
        fake.failing.put(model.getPath(), new IllegalStateException("no"));
        Message error = host.answer(requested.measure(JOB), new ArrayList<Message>());
        assertEquals("m run_failed", error.text("model") + " " + error.text("code"));
        assertEquals(1, error.whole("id"));
        assertTrue(spooled().isEmpty());
        assertFalse(model.exists());
    }

    @Test
    public void aCancelEndsTheSessionInHandAndNoLaterOne() throws Exception {
        final Host host = greeted();
        model();
        requested.plan.with("placements", 1000L).with("max_ms", 3600000.0);
        host.send(requested.measure(JOB));
        assertEquals("part", host.reply().text("type"));
        host.send("{\"type\":\"cancel\",\"id\":2}");
        Message reply = host.reply();
        while (reply.text("type").equals("part") || reply.text("type").equals("progress")) {
            reply = host.reply();
        }
        assertEquals(ErrorCode.CANCELLED, reply.text("code"));
        assertEquals("{\"id\":2,\"type\":\"done\"}", Json.encode(host.reply()));
        assertTrue(spooled().isEmpty());
        requested.models.clear();
        model();
        requested.plan.with("placements", 1L);
        Message result = host.answer(requested.measure(JOB), new ArrayList<Message>());
        assertEquals("result", result.text("type"));
    }

    @Test
    public void aHostThatGoesGetsItsSessionFromTheSpool() throws Exception {
        Host host = greeted();
        model();
        host.send(requested.measure(JOB));
        host.requests.close();
        host.replies.close();
        host.ended();
        assertEquals(Arrays.asList(JOB + ".jsonl"), spooled());
        assertEquals(0, Files.names(new File(folder.getRoot(), "models")).length);
    }

    @Test
    public void aNewOneRemovesWhatAKilledOneLeft() throws Exception {
        model();
        new Spool(new File(folder.getRoot(), "spool"));
        Requested.write(new File(folder.getRoot(), "spool/" + JOB + ".jsonl.part"), "{");
        folder.newFolder("deployed");
        Requested.write(new File(folder.getRoot(), "deployed/a.tflite.new"), "x");
        Requested.write(new File(folder.getRoot(), "deployed/b.tflite"), "x");
        greeted();
        assertTrue(spooled().isEmpty());
        assertEquals(0, Files.names(new File(folder.getRoot(), "models")).length);
        assertEquals(Arrays.asList("b.tflite"),
                Arrays.asList(Files.names(new File(folder.getRoot(), "deployed"))));
    }

    @Test
    public void aDamagedSessionIsDropped() throws Exception {
        Host host = greeted();
        Requested.write(new File(folder.getRoot(), "spool/" + JOB + ".jsonl"), "{}\n[1]\n");
        Message fetch = new Message().with("type", "fetch").with("id", 2).with("job", JOB);
        assertNull(host.answer(fetch, new ArrayList<Message>()).get("result"));
        assertTrue(spooled().isEmpty());
    }

    @Test
    public void aLineThatIsNoRequestIsAnsweredAndTheNextIsServed() throws Exception {
        Host host = greeted();
        host.requests.write("{\"type\":\"measure\"\n\n[]\n".getBytes(Text.ASCII));
        for (int i = 0; i < 3; i++) {
            Message error = host.reply();
            assertEquals(ErrorCode.BAD_MESSAGE, error.text("code"));
            assertNull(error.get("id"));
        }
        Message second = host.hello();
        assertEquals("hello is out of place", second.text("message"));
        assertEquals("reading", host.answer(
                "{\"type\":\"read\",\"id\":1,\"read\":[\"/proc/loadavg\"]}").text("type"));
    }

    /** A stream that can't be written. */
    private static final class Gone extends OutputStream {
        @Override
        public void write(int value) throws IOException {
            throw new IOException("Broken pipe");
        }
    }

    @Test
    public void nobodyThereIsNoError() throws Exception {
        Channel channel = new Channel(new java.io.ByteArrayInputStream(Channel.line(
                new Message().with("type", "hello").with("protocol", 5).with("version", "1.2"))),
                new Gone());
        channel.open();
        Identity identity = new Identity("android-java", "1.2", null, 1);
        Server server = new Server(folder.getRoot(), channel, identity, new Server.Opening() {
            @Override
            public Device open() {
                return fake.device;
            }
        });
        assertEquals(0, server.serve());
    }
}
