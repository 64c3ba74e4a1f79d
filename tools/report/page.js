/* The notebooks' table: sorted by a click or Enter on a heading, in pages, filtered as one types. */
const PAGE = 25;
const element = document.getElementById("fleet");
const rows = [...element.tBodies[0].rows];
const isPaged = rows.length > PAGE;
const text = (node) => (node ? node.textContent.trim() : "");
const all = (node, selector) => [...node.querySelectorAll(selector)].map(text);

// What the filters ask for and the file holds, read once while every row is in the page.
const facts = rows.map((row) => {
  const [name] = row.cells;
  const [state, owner, environment, type, gb, usd, changed] = [
    ".state", ".owner", ".environment", ".type", ".gb", ".usd", ".date",
  ].map((kind) => row.querySelector(kind));  // a column that is empty in every row is left out
  return {
    Notebook: text(name.querySelector(".name")),
    "Name in AWS": name.dataset.instance,
    Region: name.dataset.region,
    Purpose: text(name.querySelector(".purpose")),
    Tags: all(name, ".tags span"),
    Status: text(state.querySelector(".status")),
    "Needs attention": all(state, ".mark"),
    Owner: text(owner),
    Environment: text(environment),
    "Instance type": text(type),
    GB: text(gb),
    "US dollars a month": usd.dataset.order,
    "Price known": /^\$/.test(text(usd)) ? "yes" : "not all",
    "Last changed": text(changed),
  };
});

// Where each notebook is a card, there are no headings to click: a list has the columns.
const sort = document.getElementById("sort");
for (const [index, head] of [...element.tHead.rows[0].cells].entries()) {
  if (head.matches(".links")) continue;
  const [direction, hint] = head.matches(".number")
    ? ["desc", ", most first"]
    : head.matches(".date")
      ? ["desc", ", latest first"]
      : ["asc", ""];
  sort.add(new Option(text(head) + hint, `${index} ${direction}`));
}

const table = new DataTable(element, {
  paging: isPaged,
  pageLength: PAGE,
  lengthMenu: [PAGE, 100, { label: "all", value: -1 }],
  autoWidth: false,
  order: [],
  columnDefs: [{ targets: "links", orderable: false, searchable: false }],
  layout: {
    topStart: null,
    topEnd: null,
    bottomStart: isPaged ? ["info", "pageLength"] : facts.length ? "info" : null,
    bottomEnd: isPaged ? { paging: { buttons: 5, firstLast: false } } : null,
  },
  language: {
    entries: { _: "notebooks", 1: "notebook" },
    info: `${isPaged ? "_START_ to _END_ of " : ""}_TOTAL_ _ENTRIES-TOTAL_`,
    infoEmpty: "no notebooks",
    infoFiltered: "(of _MAX_)",
    lengthMenu: "Show _MENU_",
    emptyTable: "no notebooks; make one: tools new-notebook NAME",
    zeroRecords: "no notebook matches",
    paginate: { previous: "Previous", next: "Next" },
  },
});

const chosen = new Map();
table.search.fixed("filters", (_, __, index) =>
  [...chosen].every(([name, value]) => [facts[index][name]].flat().includes(value)),
);

const filters = document.getElementById("filters");
const find = document.getElementById("find");
const selects = [...filters.querySelectorAll("[data-filter]")];
find.addEventListener("input", () => table.search(find.value).draw());
for (const select of selects) {
  select.addEventListener("change", () => {
    if (select.value) chosen.set(select.dataset.filter, select.value);
    else chosen.delete(select.dataset.filter);
    table.draw();
  });
}
sort.addEventListener("change", () => {
  const [index, direction] = sort.value.split(" ");
  table.order(sort.value ? [[Number(index), direction]] : []).draw();
});
table.on("order", () => {
  const [first] = table.order();
  sort.value = first ? `${first[0]} ${first[1]}` : "";
});
document.getElementById("clear").addEventListener("click", () => {
  find.value = "";
  for (const select of selects) select.value = "";
  chosen.clear();
  table.search("").order([]).draw();
});

// RFC 4180. A text that a spreadsheet would run as a formula gets a quote before it:
// https://owasp.org/www-community/attacks/CSV_Injection
const field = (value) => {
  const plain = [value].flat().join("; ").replace(/^(?=[=+\-@\t\r])/, "'");
  return `"${plain.replaceAll('"', '""')}"`;
};
const download = document.getElementById("csv");
download.addEventListener("click", () => {
  const shown = table.rows({ search: "applied", order: "applied" }).indexes().toArray();
  const lines = [Object.keys(facts[0] ?? {}), ...shown.map((index) => Object.values(facts[index]))];
  const csv = lines.map((line) => line.map(field).join(",") + "\r\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv], { type: "text/csv" }));
  link.download = element.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
});

// Without a script, or without a notebook, neither would do anything.
filters.hidden = download.hidden = !facts.length;

// Paper has every notebook that the filters leave, and all that is folded.
let length = PAGE;
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
  length = table.page.len();
  table.page.len(-1).draw();
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
  table.page.len(length).draw();
});
