// What relying parties frame to watch the session: OpenID Connect Session Management 1.0,
// section 3.2. It makes of the browser's state what src/oidc/session_state.rs makes, and asks
// nobody. It hashes by itself: crypto.subtle is not there where a page of plain http frames it.
"use strict";

(function () {
  var cookie = document.documentElement.getAttribute("data-cookie");

  function browserState() {
    var pairs = document.cookie.split("; ");
    for (var i = 0; i < pairs.length; i++) {
      if (pairs[i].indexOf(cookie + "=") === 0) {
        return pairs[i].slice(cookie.length + 1);
      }
    }
    return "";
  }

  // FIPS 180-4 section 4.2.2: of the first primes, the first 32 bits of the fractional parts of
  // the cube roots, and of eight of the square roots.
  var rounds = [];
  var initial = [];
  for (var candidate = 2; rounds.length < 64; candidate++) {
    var isPrime = true;
    for (var factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) {
        isPrime = false;
      }
    }
    if (isPrime) {
      if (initial.length < 8) {
        initial.push(fraction(Math.pow(candidate, 1 / 2)));
      }
      rounds.push(fraction(Math.pow(candidate, 1 / 3)));
    }
  }

  function fraction(number) {
    return ((number - Math.floor(number)) * 0x100000000) | 0;
  }

  function rotate(word, bits) {
    return (word >>> bits) | (word << (32 - bits));
  }

  // The SHA-256 of a text of ASCII in hexadecimal (FIPS 180-4 section 6.2).
  function sha256(text) {
    var words = [];
    var i;
    for (i = 0; i < text.length; i++) {
      words[i >> 2] |= (text.charCodeAt(i) & 0xff) << (24 - 8 * (i % 4));
    }
    words[text.length >> 2] |= 0x80 << (24 - 8 * (text.length % 4));
    var length = (((text.length + 8) >> 6) + 1) * 16;
    words[length - 1] = text.length * 8;
    var hash = initial.slice();
    for (var start = 0; start < length; start += 16) {
      var schedule = [];
      var state = hash.slice();
      for (i = 0; i < 64; i++) {
        if (i < 16) {
          schedule[i] = words[start + i] | 0;
        } else {
          var before = schedule[i - 15];
          var last = schedule[i - 2];
          schedule[i] =
            (schedule[i - 16] +
              (rotate(before, 7) ^ rotate(before, 18) ^ (before >>> 3)) +
              schedule[i - 7] +
              (rotate(last, 17) ^ rotate(last, 19) ^ (last >>> 10))) |
            0;
        }
        var a = state[0];
        var e = state[4];
        var one =
          state[7] +
          (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
          ((e & state[5]) ^ (~e & state[6])) +
          rounds[i] +
          schedule[i];
        var other =
          (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
          ((a & state[1]) ^ (a & state[2]) ^ (state[1] & state[2]));
        state = [(one + other) | 0].concat(state.slice(0, 7));
        state[4] = (state[4] + one) | 0;
      }
      for (i = 0; i < 8; i++) {
        hash[i] = (hash[i] + state[i]) | 0;
      }
    }
    return hash
      .map(function (word) {
        return ("0000000" + (word >>> 0).toString(16)).slice(-8);
      })
      .join("");
  }

  // The message is the client_id, a space and the session_state, which ends with its salt.
  function answer(message, origin) {
    if (typeof message !== "string" || message.length > 4096) {
      return "error";
    }
    var space = message.lastIndexOf(" ");
    var sessionState = message.slice(space + 1);
    var dot = sessionState.indexOf(".");
    if (space < 1 || dot < 1 || dot === sessionState.length - 1) {
      return "error";
    }
    var salt = sessionState.slice(dot + 1);
    var parts = [message.slice(0, space), origin, browserState(), salt];
    return sha256(parts.join(" ")) + "." + salt === sessionState ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    if (event.source && event.source !== window && event.origin !== "null") {
      event.source.postMessage(answer(event.data, event.origin), event.origin);
    }
  });
})();
