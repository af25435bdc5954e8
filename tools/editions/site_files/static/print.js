// Prepares the one long page of the course to be printed, see tools/editions/pdf.py.
window.coursePrint = {
  // Open what is folded, and put the contents before the first chapter.
  prepare() {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    const list = document.createElement("ol");
    for (const [i, heading] of document.querySelectorAll(".course-chapter").entries()) {
      heading.id = `course-chapter-${i}`; // two chapters may have sections of the same name
      const entry = list.appendChild(document.createElement("li"));
      const link = entry.appendChild(document.createElement("a"));
      link.href = `#${heading.id}`;
      link.textContent = heading.firstChild.textContent;
      entry.appendChild(document.createElement("span"));
    }
    const contents = document.createElement("nav");
    contents.className = "course-contents";
    contents.innerHTML = "<h2>Contents</h2>";
    contents.append(list);
    document.querySelector(".course-chapter").parentElement.before(contents);
  },
  // Write the number of its page beside each entry.
  number(pages) {
    for (const entry of document.querySelectorAll(".course-contents li")) {
      const target = entry.querySelector("a").getAttribute("href").slice(1);
      entry.querySelector("span").textContent = pages[target] ?? "";
    }
  },
};

document.addEventListener("DOMContentLoaded", () => {
  // The chapters are the sections of the first level below the start page's, in the order of files.
  const marks = document.querySelectorAll("[role=main] span[id^='document-']");
  for (const mark of marks) {
    const heading = mark.nextElementSibling?.querySelector("h1, h2, h3");
    if (heading && !mark.id.endsWith("-index")) heading.classList.add("course-chapter");
  }
});
