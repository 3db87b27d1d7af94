package org.adadeep.core;

import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** What each request must hold, as `wire.py` has it: checked when it comes, trusted after that. */
public final class Requests {
    public static final int PROTOCOL = 5;
    public static final int MAX_LINE = 4000000; // bytes: a host ends the connection at a longer one
    static final int MAX_MODELS = 16;
    static final int MAX_NAME = 100;
    static final int MAX_PATTERNS = 100;
    static final int MAX_BLOCK_PATHS = 8;
    static final int MAX_COMMANDS = 8;
    static final List<String> COMMANDS = Arrays.asList(
            "dumpsys battery", "dumpsys thermalservice", "dumpsys power", "dumpsys deviceidle",
            "getprop");

    // By the type of the request: NAME:TYPES of its fields, those behind "?" may be missing. Types:
    // I whole number, N number, S text, L list, M object, B truth value, 0 null.
    private static final Map<String, String> SHAPES = new HashMap<String, String>();
    private static final String MODEL = "name:S path:S sha256:S ?inputs:L ?keep:B ?block_ms:N";
    private static final String SETTINGS =
            "threads:I core_mask:S0 ?input_ranges:L ?input_shapes:L ?input_file:S0";
    private static final String PLAN =
            "seed:I placements:I least_placements:I placement_ms:N block_ms:N drop_runs:I drop_ms:N"
                    + " warmup_ms:N group:I block_timings:I cold_runs:I cold_bytes:I half_width:N"
                    + " max_ms:N";

    static {
        SHAPES.put("hello", "protocol:I version:S ?wait_ms:N");
        SHAPES.put("measure", "id:I job:S models:L settings:M plan:M ?read:L ?commands:L"
                + " ?read_block:L ?spool:B");
        SHAPES.put("read", "id:I read:L ?commands:L");
        SHAPES.put("spool", "id:I");
        SHAPES.put("fetch", "id:I job:S");
        SHAPES.put("ack", "id:I jobs:L");
        SHAPES.put("cancel", "id:I");
        SHAPES.put("bye", "");
    }

    private static final double HOUR_MS = 3600000;
    private static final Object[][] BOUNDS = { // both ends included
        {"seed", 0.0, 9007199254740992.0}, {"placements", 1.0, 1000.0},
        {"least_placements", 1.0, 1000.0}, {"placement_ms", 0.0, HOUR_MS},
        {"block_ms", 1e-3, HOUR_MS}, {"drop_runs", 0.0, 1000.0}, {"drop_ms", 0.0, HOUR_MS},
        {"warmup_ms", 0.0, HOUR_MS}, {"group", 1.0, 100000.0}, {"block_timings", 1.0, 10000.0},
        {"cold_runs", 0.0, 100.0}, {"cold_bytes", 0.0, 67108864.0}, {"half_width", 0.0, 1.0},
        {"max_ms", 1e-3, HOUR_MS},
    };
    private static final double MAX_INPUT = 18446744073709551616.0; // of the ends of a range
    private static final Pattern JOB = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private Requests() {}

    /**
     * A line from the host, checked.
     *
     * @throws WireError it is no request of this protocol.
     */
    public static Message decode(byte[] line) {
        Object value;
        try {
            value = Json.parse(Text.strict(line));
        } catch (CharacterCodingException error) {
            throw WireError.badMessage("not a line of JSON: no UTF-8");
        } catch (IllegalArgumentException error) {
            throw WireError.badMessage("not a line of JSON: " + error.getMessage());
        }
        if (!(value instanceof Message)) {
            throw WireError.badMessage("not a JSON object");
        }
        Message message = (Message) value;
        Object kind = message.get("type");
        if (!(kind instanceof String && SHAPES.containsKey(kind))) {
            throw WireError.badMessage("unknown type " + Text.quoted(kind));
        }
        check((String) kind, message, "type:S " + SHAPES.get(kind));
        if (kind.equals("measure")) {
            checkMeasure(message);
        }
        checkPatterns(message.list("read"));
        checkCommands(message.list("commands"));
        return message;
    }

    private static void check(String what, Message value, String shape) {
        TreeSet<String> unknown = new TreeSet<String>(value.keySet());
        for (String entry : shape.trim().split(" ")) {
            String name = entry.substring(entry.startsWith("?") ? 1 : 0, entry.indexOf(':'));
            unknown.remove(name);
            if (!value.containsKey(name)) {
                if (!entry.startsWith("?")) {
                    throw WireError.badMessage(what + " lacks the field '" + name + "'");
                }
            } else if (!isOf(value.get(name), entry.substring(entry.indexOf(':') + 1))) {
                String said = what + ": field '" + name + "' is of the wrong type";
                throw WireError.badMessage(said);
            }
        }
        if (!unknown.isEmpty()) {
            String first = Text.quoted(unknown.first());
            throw WireError.badMessage(what + " has an unknown field " + first);
        }
    }

    private static boolean isOf(Object value, String types) {
        for (int i = 0; i < types.length(); i++) {
            if (is(value, types.charAt(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean is(Object value, char type) {
        switch (type) {
            case 'I':
                return value instanceof Long || value instanceof BigInteger;
            case 'N':
                return value instanceof Number;
            case 'S':
                return value instanceof String;
            case 'L':
                return value instanceof List;
            case 'M':
                return value instanceof Message;
            case 'B':
                return value instanceof Boolean;
            default:
                return value == null;
        }
    }

    /** Whether a session may be called so: its name becomes a file's. */
    static boolean isJob(String name) {
        return JOB.matcher(name).matches();
    }

    private static void checkMeasure(Message message) {
        if (!isJob(message.text("job"))) {
            throw WireError.badMessage(
                    "'job' is no name of up to 120 letters, digits, '.', '_' and '-'");
        }
        checkModels(message.list("models"));
        checkSettings(message.map("settings"));
        Message plan = message.map("plan");
        check("plan", plan, PLAN);
        for (Object[] bound : BOUNDS) {
            checkBound("plan", (String) bound[0], plan.get(bound[0]));
        }
        List<?> paths = message.list("read_block");
        boolean isFine = paths.size() <= MAX_BLOCK_PATHS;
        for (Object entry : paths) {
            isFine &= entry instanceof String && isBlockPath((String) entry);
        }
        if (!isFine) {
            throw WireError.badMessage("'read_block' holds up to " + MAX_BLOCK_PATHS
                    + " paths below /sys/ or /proc/ without '*'");
        }
    }

    private static void checkBound(String what, String name, Object number) {
        double value = ((Number) number).doubleValue();
        for (Object[] bound : BOUNDS) {
            double low = (Double) bound[1];
            double high = (Double) bound[2];
            boolean isWithin = low <= value && value <= high
                    && (!(number instanceof Long) || (Long) number <= (long) high); // exactly
            if (bound[0].equals(name) && !isWithin) {
                String range = Text.plain(low) + " to " + Text.plain(high);
                throw WireError.badMessage(what + ": '" + name + "' is from " + range);
            }
        }
    }

    private static void checkModels(List<?> models) {
        boolean isFine = !models.isEmpty() && models.size() <= MAX_MODELS;
        for (Object model : models) {
            isFine &= model instanceof Message;
        }
        if (!isFine) {
            throw WireError.badMessage("'models' holds 1 to " + MAX_MODELS + " objects");
        }
        for (Object item : models) {
            Message model = (Message) item;
            check("a model", model, MODEL);
            String name = model.text("name");
            int characters = name.codePointCount(0, name.length());
            if (characters < 1 || characters > MAX_NAME) {
                throw WireError.badMessage("a model's name has 1 to " + MAX_NAME + " characters");
            }
            if (!SHA256.matcher(model.text("sha256")).matches()) {
                throw WireError.badMessage("a model's 'sha256' is 64 hexadecimal digits");
            }
            if (model.containsKey("block_ms")) {
                checkBound("a model", "block_ms", model.get("block_ms"));
            }
        }
    }

    private static boolean isBlockPath(String entry) {
        int mark = entry.indexOf('#');
        return entry.indexOf('*') < 0
                && Readings.isReadable(mark < 0 ? entry : entry.substring(0, mark));
    }

    private static void checkPatterns(List<?> patterns) {
        boolean isFine = patterns.size() <= MAX_PATTERNS;
        for (Object pattern : patterns) {
            isFine &= pattern instanceof String && Readings.isReadable((String) pattern);
        }
        if (!isFine) {
            throw WireError.badMessage("'read' holds up to " + MAX_PATTERNS
                    + " paths below /sys/ or /proc/, of up to " + Readings.MAX_PATTERN
                    + " characters");
        }
    }

    private static void checkCommands(List<?> commands) {
        boolean isFine = commands.size() <= MAX_COMMANDS && COMMANDS.containsAll(commands);
        if (!isFine) {
            throw WireError.badMessage("'commands' holds up to " + MAX_COMMANDS + " of: "
                    + COMMANDS.toString().replaceAll("[\\[\\]]", ""));
        }
    }

    private static void checkSettings(Message settings) {
        check("settings", settings, SETTINGS);
        if (settings.number("threads") <= 0) {
            throw WireError.badMessage("settings: 'threads' must be greater than 0");
        }
        for (Object entry : settings.list("input_ranges")) {
            if (!(isNamed(entry, 3) && isRange((List<?>) entry))) {
                throw WireError.badMessage(
                        "settings: 'input_ranges' holds [name or null, low, high]");
            }
        }
        for (Object entry : settings.list("input_shapes")) {
            if (!(isNamed(entry, 2) && isShape(((List<?>) entry).get(1)))) {
                throw WireError.badMessage(
                        "settings: 'input_shapes' holds [name or null, [sizes]]");
            }
        }
    }

    private static boolean isNamed(Object entry, int length) {
        return entry instanceof List && ((List<?>) entry).size() == length
                && isOf(((List<?>) entry).get(0), "S0");
    }

    private static boolean isRange(List<?> entry) {
        if (!(entry.get(1) instanceof Number && entry.get(2) instanceof Number)) {
            return false;
        }
        double low = ((Number) entry.get(1)).doubleValue();
        double high = ((Number) entry.get(2)).doubleValue();
        return -MAX_INPUT <= low && low <= high && high <= MAX_INPUT;
    }

    private static boolean isShape(Object sizes) {
        if (!(sizes instanceof List)) {
            return false;
        }
        for (Object size : (List<?>) sizes) {
            boolean isFine = size instanceof Long && (Long) size > 0
                    && (Long) size <= Integer.MAX_VALUE;
            if (!isFine) {
                return false;
            }
        }
        return true;
    }
}
