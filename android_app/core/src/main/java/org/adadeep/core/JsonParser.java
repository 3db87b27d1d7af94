package org.adadeep.core;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Reads one text of JSON; as strict as the standard, and bounded. */
final class JsonParser {
    private static final int DEEPEST = 200; // the stack of a phone's thread is small
    private static final int LONGEST_NUMBER = 400; // time grows with the square of the digits

    private final String text;
    private int at;
    private int depth;

    JsonParser(String text) {
        this.text = text;
    }

    Object whole() {
        Object value = value();
        next();
        if (at < text.length()) {
            throw bad("something behind the value");
        }
        return value;
    }

    /** The next character that is no white space, not yet taken; 0 at the end. */
    private char next() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private IllegalArgumentException bad(String what) {
        return new IllegalArgumentException(what + " at character " + at);
    }

    private Object value() {
        switch (next()) {
            case '{':
                return map();
            case '[':
                return list();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw bad("no value");
        }
        at += word.length();
        return value;
    }

    private Message map() {
        Message fields = new Message();
        enter();
        if (next() == '}') {
            return leave(fields);
        }
        while (true) {
            if (next() != '"') {
                throw bad("no name of a field");
            }
            String name = string();
            if (next() != ':') {
                throw bad("no colon");
            }
            at++;
            fields.put(name, value());
            if (ends('}')) {
                return leave(fields);
            }
        }
    }

    private List<Object> list() {
        List<Object> values = new ArrayList<Object>();
        enter();
        if (next() == ']') {
            return leave(values);
        }
        while (true) {
            values.add(value());
            if (ends(']')) {
                return leave(values);
            }
        }
    }

    private void enter() {
        at++;
        if (++depth > DEEPEST) {
            throw bad("nested too deeply");
        }
    }

    private <T> T leave(T value) {
        at++;
        depth--;
        return value;
    }

    /** Whether the list or map ends here; if not, takes the comma. */
    private boolean ends(char end) {
        char found = next();
        if (found == ',') {
            at++;
            return false;
        }
        if (found != end) {
            throw bad("no comma and no end");
        }
        return true;
    }

    private String string() {
        int begin = ++at;
        while (at < text.length() && plain(text.charAt(at))) {
            at++;
        }
        if (at < text.length() && text.charAt(at) == '"') {
            return text.substring(begin, at++);
        }
        StringBuilder out = new StringBuilder(text.substring(begin, at));
        while (true) {
            if (at >= text.length() || text.charAt(at) < ' ') {
                throw bad("a text without an end");
            }
            char c = text.charAt(at++);
            if (c == '"') {
                return out.toString();
            }
            out.append(c == '\\' ? escaped() : c);
        }
    }

    private static boolean plain(char c) {
        return c != '"' && c != '\\' && c >= ' ';
    }

    private char escaped() {
        char c = at < text.length() ? text.charAt(at++) : 0;
        int known = "\"\\/nrtbf".indexOf(c);
        if (known >= 0 && c != 0) {
            return "\"\\/\n\r\t\b\f".charAt(known);
        }
        if (c != 'u' || at + 4 > text.length()) {
            throw bad("an unknown escape");
        }
        int code = 0;
        for (int end = at + 4; at < end; at++) {
            int digit = Character.digit(text.charAt(at), 16);
            if (digit < 0 || text.charAt(at) > 'f') {
                throw bad("an unknown escape");
            }
            code = code << 4 | digit;
        }
        return (char) code;
    }

    private Object number() {
        int begin = at;
        if (at < text.length() && text.charAt(at) == '-') {
            at++;
        }
        int first = at;
        digits();
        if (at > first + 1 && text.charAt(first) == '0') {
            throw bad("a number with a leading zero");
        }
        boolean isWhole = true;
        if (at < text.length() && text.charAt(at) == '.') {
            at++;
            digits();
            isWhole = false;
        }
        if (at < text.length() && (text.charAt(at) | ' ') == 'e') {
            at++;
            if (at < text.length() && "+-".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            digits();
            isWhole = false;
        }
        String found = text.substring(begin, at);
        if (found.length() > LONGEST_NUMBER) {
            throw bad("a number that is too long");
        }
        return isWhole ? whole(found) : (Object) Double.valueOf(found);
    }

    private void digits() {
        int begin = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == begin) {
            throw bad("no value");
        }
    }

    private static Object whole(String digits) {
        if (digits.length() < 19) {
            return Long.valueOf(digits);
        }
        BigInteger value = new BigInteger(digits);
        return value.bitLength() < 64 ? (Object) value.longValue() : value;
    }
}
