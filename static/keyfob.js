// Small conveniences for the pages of dev; every page works without them.
"use strict";

(function () {
  function copyButton(source) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    const what = source.getAttribute("aria-label") || source.textContent;
    function say(text) {
      button.textContent = text;
      button.setAttribute("aria-label", text + " " + what);
    }
    say("Copy");
    button.addEventListener("click", async function () {
      try {
        await navigator.clipboard.writeText(source.textContent);
        say("Copied");
      } catch (refused) {
        const range = document.createRange();
        range.selectNodeContents(source);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        say("Selected");
      }
      setTimeout(say, 1600, "Copy");
    });
    return button;
  }

  if (navigator.clipboard) {
    for (const source of document.querySelectorAll("[data-copy]")) {
      if (source.tagName === "PRE") {
        const corner = document.createElement("div");
        corner.className = "copy-corner";
        source.replaceWith(corner);
        corner.append(source, copyButton(source));
      } else {
        const link = source.closest("a");
        (link || source).after(copyButton(source));
      }
    }
  }

  function words(seconds) {
    const minutes = Math.floor(seconds / 60);
    if (minutes >= 60) return "in " + Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
    if (minutes > 0) return "in " + minutes + " min " + (seconds % 60) + " s";
    return "in " + seconds + " s";
  }

  // Counted from the server's clock, not from this machine's: only the elapsed time is ours.
  const loaded = performance.now();
  const running = Array.from(document.querySelectorAll("time[data-seconds]"))
    .filter(function (time) { return Number(time.dataset.seconds) > 0; });
  function tick() {
    const elapsed = Math.floor((performance.now() - loaded) / 1000);
    for (const time of running) {
      const left = Number(time.dataset.seconds) - elapsed;
      time.textContent = left > 0 ? words(left) : "over";
    }
  }
  if (running.length > 0) {
    tick();
    setInterval(tick, 1000);
  }
})();
