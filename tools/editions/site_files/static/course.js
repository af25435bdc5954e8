// Two things that Sphinx and its theme do not do. No other script is needed, and none is loaded
// from elsewhere.

// 1. Solutions can be hidden: by ?solutions=hidden in the address, or by the button.
(() => {
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  let hidden = query.get("solutions") === "hidden";

  // Keep the choice in the links of the page, since a browser may store nothing for files.
  const keepInLinks = () => {
    for (const link of document.querySelectorAll("a[href]")) {
      const url = new URL(link.href, location.href);
      const leadsToAPage = url.origin === location.origin && url.protocol === location.protocol;
      const samePage = link.getAttribute("href").startsWith("#");
      if (!leadsToAPage || samePage || !url.pathname.endsWith(".html")) continue;
      if (hidden) url.searchParams.set("solutions", "hidden");
      else url.searchParams.delete("solutions");
      link.href = url.href;
    }
  };

  const show = (button) => {
    root.classList.toggle("course-without-solutions", hidden);
    if (button) button.textContent = hidden ? "Show solutions" : "Hide solutions";
    if (button) button.setAttribute("aria-pressed", hidden);
    if (hidden || button) keepInLinks();
  };

  root.classList.toggle("course-without-solutions", hidden);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".course-solutions");
    if (hidden) keepInLinks();
    if (!button || !document.querySelector(".tag_solution, details.answer")) return;
    button.hidden = false;
    show(button);
    button.addEventListener("click", () => {
      hidden = !hidden;
      show(button);
    });
  });
})();

// 2. The search shows where it found something. It would load each page for that, which a browser
//    refuses from the disk; so the texts come as a script.
if (document.querySelector("script[src*='searchtools.js']") || /\/search\.html$/.test(location.pathname)) {
  const script = document.createElement("script");
  script.src = "_static/texts.js";
  const loaded = new Promise((resolve) => (script.onload = resolve));
  document.head.append(script);
  window.fetch = async (url) => {
    await loaded;
    const name = decodeURIComponent(String(url)).split("/").pop().replace(/\.html.*$/, "");
    return { text: () => `<div role="main">${(window.courseTexts ?? {})[name] ?? ""}</div>` };
  };
}
