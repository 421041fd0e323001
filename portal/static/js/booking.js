/* The booking pages without a round trip: questions that depend on an answer, and a filter for many services.
   Without script every question is shown, and the server leaves out what does not apply. */
(function () {
  "use strict";

  /* 1. data-vt-when="name=value,value": shown while the control called name has one of the values. */
  const values = (form, name) =>
    [...form.elements]
      .filter((control) => control.name === name && (!/checkbox|radio/.test(control.type) || control.checked))
      .map((control) => control.value);
  const ask = (root) =>
    root.querySelectorAll("[data-vt-when]").forEach((part) => {
      const form = part.closest("form");
      if (!form) return;
      const [name, wanted] = part.dataset.vtWhen.split("=");
      const right = wanted.split(",");
      part.hidden = !values(form, name).some((value) => right.includes(value));
    });
  document.addEventListener("change", (event) => event.target.form && ask(event.target.form));

  /* 2. data-vt-filter="#list": hides the items that do not hold what is typed, and groups left empty. */
  const ready = () => {
    ask(document);
    document.querySelectorAll("[data-vt-filter-field]").forEach((part) => (part.hidden = false));
  };
  document.addEventListener("input", (event) => {
    const list = event.target.dataset && event.target.dataset.vtFilter;
    if (!list) return;
    const wanted = event.target.value.trim().toLowerCase();
    document.querySelectorAll(`${list} section`).forEach((group) => {
      const items = [...group.querySelectorAll("li")];
      items.forEach((item) => (item.hidden = !item.textContent.toLowerCase().includes(wanted)));
      group.hidden = items.every((item) => item.hidden);
    });
  });

  document.addEventListener("htmx:after:settle", ready);
  ready();
})();
