/* The calendar page: mounts EventCalendar on #calendar with our events. Everything that is said
   comes from the server in data attributes; events are links, so it works like any page. */
(function () {
  "use strict";
  const root = document.getElementById("calendar");
  if (!root) return;
  const data = root.dataset;
  const icons = document.body.dataset.icons;
  const weekdays = JSON.parse(data.weekdays);
  const months = JSON.parse(data.months);
  const two = (n) => String(n).padStart(2, "0");
  const hm = (x) => `${two(x.getHours())}${data.separator}${two(x.getMinutes())}`;
  const weekday = (x) => weekdays[(x.getDay() + 6) % 7];
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const dayText = (x) =>
    data.dayForm.replace("{weekday}", weekday(x)).replace("{day}", x.getDate()).replace("{month}", months[x.getMonth()]);
  const team = data.view === "team";
  const phone = matchMedia("(max-width: 47.99em)").matches;
  const wide = matchMedia("(min-width: 62em)");

  /* One event is one link with visible time and name and hidden words for screen readers.
     Busy and free time is plain text. Nothing depends on colour alone. */
  const content = ({ event, timeText, view }) => {
    const p = event.extendedProps;
    const minutes = (event.end - event.start) / 60000;
    const el = document.createElement(p.kind === "time" ? "a" : "div");
    el.className = "vt-ev";
    el.dataset.kind = p.kind;
    if (p.color) el.dataset.color = p.color;
    if (p.done) el.dataset.state = "done";
    if (p.kind === "time") {
      el.href = p.url;
      if (event.id === data.chosen) {
        el.dataset.selected = "";
        el.setAttribute("aria-current", "true");
      }
      if (wide.matches) {
        const address = new URL(location.href);
        address.searchParams.set("time", event.id);
        el.setAttribute("hx-get", `${p.url}?panel=1`);
        el.setAttribute("hx-target", "#panel");
        el.setAttribute("hx-swap", "outerHTML");
        el.setAttribute("hx-push-url", address.pathname + address.search);
      }
    }
    const [time, title, more] = ["vt-ev__time", "vt-ev__title", "ds-sr-only"].map((name) => {
      const span = document.createElement("span");
      span.className = name;
      el.append(span, " ");
      return span;
    });
    time.textContent = minutes > 45 || view.type.startsWith("list") ? timeText : hm(event.start);
    title.textContent = event.title;
    more.textContent = [p.words, dayText(event.start), `${hm(event.start)}–${hm(event.end)}`].filter(Boolean).join(", ");
    if (p.icon) {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("class", "vt-icon");
      svg.setAttribute("aria-hidden", "true");
      const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
      use.setAttribute("href", `${icons}#${p.icon}`);
      svg.append(use);
      el.append(svg);
    }
    return { domNodes: [el] };
  };

  /* EventCalendar marks its grid up as a table with rows but no cells for the events.
     The links carry all meaning, so the half table is taken away. */
  const plain = () => {
    const roles = ["row", "rowgroup", "cell", "columnheader", "table", "list", "listitem"].map((r) => `[role=${r}]`).join();
    const counts = ["aria-colindex", "aria-colcount", "aria-rowindex", "aria-rowcount", "aria-colspan"];
    const strip = () => {
      root.querySelectorAll(roles).forEach((n) => n.removeAttribute("role"));
      counts.forEach((a) => root.querySelectorAll(`[${a}]`).forEach((n) => n.removeAttribute(a)));
      root.querySelectorAll("h4:not([aria-level])").forEach((n) => n.setAttribute("aria-level", "2"));
    };
    new MutationObserver(strip).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["role", ...counts] });
    strip();
  };
  plain();

  /* From seven to five on weekdays, and more where something stands outside. */
  const mount = (events) => {
    const hours = events.flatMap((e) => {
      const [from, to] = [Number(e.start.slice(11, 13)), Number(e.end.slice(11, 13)) + (e.end.slice(14, 16) === "00" ? 0 : 1)];
      return e.start.slice(0, 10) === e.end.slice(0, 10) ? [from, to] : [from, 24];
    });
    const weekend = events.some((e) => [0, 6].includes(new Date(`${e.start.slice(0, 10)}T12:00`).getDay()));
    EventCalendar.createCalendar(root, team ? [EventCalendar.ResourceTimeGrid] : [EventCalendar.TimeGrid, EventCalendar.List], {
      view: team ? "resourceTimeGridDay" : phone ? "listWeek" : "timeGridWeek",
      date: data.day,
      firstDay: 1,
      hiddenDays: weekend || team ? [] : [0, 6],
      headerToolbar: { start: "", center: "", end: "" },
      allDaySlot: false,
      slotDuration: "00:30",
      slotLabelInterval: "01:00",
      slotMinTime: `${two(Math.min(7, ...hours))}:00`,
      slotMaxTime: `${two(Math.max(17, ...hours))}:00`,
      slotHeight: 50,
      /* On a phone the people of the unit stand side by side and are scrolled to, rather than squeezed. */
      ...(team && phone && { columnWidth: "9rem" }),
      slotEventOverlap: false,
      /* The line that says what time it is follows Norway's clock too, like the events, wherever the browser is. */
      timeZone: data.offset,
      nowIndicator: true,
      resources: team ? JSON.parse(data.resources) : [],
      events: phone ? events.filter((e) => e.extendedProps.kind !== "free") : events,
      noEventsContent: data.empty,
      dayHeaderFormat: (x) => `${capital(weekday(x))} ${x.getDate()}${data.ordinal}`,
      listDayFormat: (x) => capital(dayText(x)),
      listDaySideFormat: () => "",
      slotLabelFormat: hm,
      eventTimeFormat: (a, b) => `${hm(a)}–${hm(b)}`,
      eventContent: content,
      eventDidMount: ({ el }) => window.htmx && window.htmx.process(el),
    });
    const legend = document.getElementById("legend");
    const seen = new Map(events.filter((e) => e.extendedProps.family).map((e) => [e.extendedProps.family, e.extendedProps.color]));
    [...seen].reverse().forEach(([name, color]) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "vt-swatch";
      swatch.dataset.color = color;
      item.append(swatch, name);
      legend.prepend(item);
    });
  };
  const address = new URL(data.events, location.href);
  address.search = new URLSearchParams({ start: data.start, end: data.end, visning: data.view });
  fetch(address, { headers: { Accept: "application/json" } })
    .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
    .then(mount)
    .catch(() => {
      const line = document.createElement("p");
      line.className = "vt-cal__failed";
      line.setAttribute("role", "alert");
      line.textContent = document.body.dataset.wordFailed;
      root.replaceChildren(line);
    });

  /* The chosen event is marked when its panel has arrived; closing the panel frees the width again. */
  const mark = (reference) => {
    data.chosen = reference || "";
    root.querySelectorAll("a.vt-ev").forEach((link) => {
      const on = reference && link.getAttribute("href").includes(reference);
      link.toggleAttribute("data-selected", Boolean(on));
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  document.addEventListener("htmx:after:settle", () => mark(document.getElementById("panel")?.dataset.reference));
  const closePanel = (event) => {
    event.preventDefault();
    const reference = document.getElementById("panel").dataset.reference;
    const empty = document.createElement("aside");
    empty.id = "panel";
    empty.hidden = true;
    document.getElementById("panel").replaceWith(empty);
    mark("");
    const here = new URL(location.href); // the week and the view stay
    here.searchParams.delete("time");
    history.replaceState(history.state, "", here);
    root.querySelector(`a.vt-ev[href*="${reference}"]`)?.focus();
  };
  document.addEventListener("click", (event) => event.target.closest("[data-vt-close-panel]") && closePanel(event));
  document.addEventListener("keydown", (event) => event.key === "Escape" && event.target.closest("#panel") && closePanel(event));
})();
