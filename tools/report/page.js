/* The fleet's table: sorted by a click or Enter on a heading, searched as one types. */
new DataTable("#fleet", {
  paging: false,
  autoWidth: false,
  order: [],
  layout: { topStart: "search", topEnd: "info", bottomStart: null, bottomEnd: null },
  language: {
    search: "Search",
    info: "_TOTAL_ notebooks",
    infoEmpty: "no notebooks",
    infoFiltered: "of _MAX_",
    emptyTable: "no notebooks",
    zeroRecords: "no notebook matches",
  },
});
