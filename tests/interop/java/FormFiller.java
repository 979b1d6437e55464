import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A person at a browser, as far as plain HTTP goes: keeps cookies, follows redirects, fills in the
 * login page, allows what is asked, confirms a logout. Its home is the issuer: what leads elsewhere
 * ends the journey.
 */
final class FormFiller {
    /** Where a journey ended: at a URL of another host, or on this page. */
    record Arrival(URI away, String page) {}

    private static final Pattern FORM = Pattern.compile("(?is)<form\\b([^>]*)>(.*?)</form>");
    private static final Pattern CONTROL = Pattern.compile("(?i)<(input|button)\\b([^>]*)>");
    private static final Pattern ATTRIBUTE =
            Pattern.compile("(?i)([a-z][a-z-]*)(?:\\s*=\\s*\"([^\"]*)\")?");
    private static final List<String> PRESSED = List.of("consent-allow", "logout-confirm");

    private final HttpClient http =
            HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    private final String home;
    private final Map<String, String> typed;

    FormFiller(URI issuer, String username, String password) {
        home = issuer.getAuthority();
        typed = Map.of("username", username, "password", password);
    }

    Arrival travel(URI start) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(start).build();
        for (int step = 0; step < 12; step += 1) {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            Optional<String> location = response.headers().firstValue("location");
            if (location.isPresent()) {
                URI target = response.uri().resolve(location.get());
                if (!target.getAuthority().equals(home)) {
                    return new Arrival(target, null);
                }
                request = HttpRequest.newBuilder(target).build();
                continue;
            }
            if (response.statusCode() != 200) {
                throw new IOException(response.statusCode() + " at " + response.uri() + ": " + response.body());
            }
            Optional<HttpRequest> filledIn = fillIn(response);
            if (filledIn.isEmpty()) {
                return new Arrival(null, response.body());
            }
            request = filledIn.get();
        }
        throw new IOException("the redirects from " + start + " never end");
    }

    /** What a person would send from this page, if there is something to do on it. */
    private Optional<HttpRequest> fillIn(HttpResponse<String> response) {
        Matcher form = FORM.matcher(response.body());
        while (form.find()) {
            StringJoiner fields = new StringJoiner("&");
            boolean isReady = false;
            Matcher control = CONTROL.matcher(form.group(2));
            while (control.find()) {
                Map<String, String> has = attributes(control.group(2));
                String name = has.get("name");
                if (control.group(1).equals("button")) {
                    if (isReady || !PRESSED.contains(has.get("id"))) {
                        continue;
                    }
                    isReady = true;
                } else if ("checkbox".equals(has.get("type")) && !has.containsKey("checked")) {
                    continue;
                }
                if (name == null) {
                    continue;
                }
                isReady = isReady || name.equals("password");
                String value = typed.getOrDefault(name, has.getOrDefault("value", ""));
                fields.add(encode(name) + "=" + encode(value));
            }
            if (isReady) {
                URI action = response.uri().resolve(attributes(form.group(1)).get("action"));
                return Optional.of(HttpRequest.newBuilder(action)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(fields.toString()))
                        .build());
            }
        }
        return Optional.empty();
    }

    private static Map<String, String> attributes(String tag) {
        Map<String, String> found = new HashMap<>();
        Matcher pair = ATTRIBUTE.matcher(tag);
        while (pair.find()) {
            String value = pair.group(2) == null ? "" : pair.group(2);
            found.put(pair.group(1), unescape(value));
        }
        return found;
    }

    private static String unescape(String text) {
        return Pattern.compile("&#(\\d+);").matcher(text)
                .replaceAll(it -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(it.group(1)))))
                .replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
