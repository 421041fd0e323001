// Beside the call, whether it is here or at another provider: the socket, who waits and is let in, who takes part,
// running late, and the way out. `room.js` and `outside.js` stand on it.
window.videotimeBeside = (room, setup, words) => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const icons = room.dataset.icons;

  // Small things ------------------------------------------------------------------------------------------------------
  function stored(store, name, value) {
    try {
      if (value === undefined) return store.getItem("videotime." + name) || "";
      store.setItem("videotime." + name, value);
    } catch {
      // a browser that keeps nothing asks again next time
    }
    return "";
  }
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  function icon(name, size) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "vt-icon");
    svg.setAttribute("aria-hidden", "true");
    if (size) svg.setAttribute("data-size", size);
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", icons + "#" + name);
    svg.append(use);
    return svg;
  }
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }
  function initials(name) {
    const parts = name.split(" ").filter(Boolean);
    return ((parts[0] || "?")[0] + (parts.length > 1 ? parts[parts.length - 1][0] : "")).toUpperCase();
  }
  function trouble(text) {
    at("trouble").hidden = !text;
    at("trouble").textContent = text;
  }
  function chime() {
    try {
      const context = new AudioContext();
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = 660;
      volume.gain.setValueAtTime(0.15, context.currentTime);
      volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.5);
      tone.connect(volume).connect(context.destination);
      tone.start();
      tone.stop(context.currentTime + 0.5);
    } catch {
      // the card on the screen says it too
    }
  }

  // The socket: it comes back by itself, with a new ticket each time ----------------------------------------------------
  let socket = null;
  let tries = 0;
  let done = false;
  let fresh = false; // nothing has been heard on this socket yet
  let ending = false; // asked for while the socket is away, said when it is back
  let line = { place: () => "room", take: () => null, hangUp: () => null };
  function isOpen() {
    return Boolean(socket) && socket.readyState === WebSocket.OPEN;
  }
  function say(message) {
    if (isOpen()) socket.send(JSON.stringify(message));
  }
  async function connect() {
    if (done) return;
    let answer = null;
    try {
      answer = await fetch(setup.ticket, { headers: { Accept: "application/json" } });
    } catch {
      return again();
    }
    if ([401, 403, 404, 409, 410].includes(answer.status) || answer.redirected) return leaveTo(setup.home);
    if (!answer.ok) return again();
    const { ticket } = await answer.json();
    socket = new WebSocket(setup.socket);
    socket.onopen = () => {
      fresh = true;
      say({ type: "hello", ticket, place: line.place() });
    };
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = again;
  }
  function again() {
    if (done) return;
    trouble(words.offline);
    tries += 1;
    setTimeout(connect, Math.min(10000, 500 * 2 ** tries));
  }
  function take(message) {
    if (message.type === "refused") {
      if (["room-closed", "not-admitted", "not-open-yet"].includes(message.code)) leaveTo(setup.home);
      else trouble(message.message);
    } else if (message.type === "state" && (message.over || message.you.state === "declined")) leaveTo(setup.home);
    else {
      if (message.type === "closed") stop();
      else if (fresh) holds();
      line.take(message);
    }
  }
  function holds() {
    fresh = false;
    tries = 0;
    trouble("");
    if (ending) end();
  }
  function stop() {
    done = true;
    line.hangUp();
  }
  function leaveTo(address) {
    if (done) return;
    stop();
    location.assign(address);
  }
  // Ending it for everyone is said once the socket is open: left unsaid, the others would sit on in the call.
  function end() {
    ending = true;
    if (!isOpen()) return;
    say({ type: "end" });
    setTimeout(() => leaveTo(setup.left), 1500);
  }
  function leave() {
    say({ type: "leave" });
    const form = at("leave-form");
    stop();
    if (form) form.submit();
    else setTimeout(() => location.assign(setup.left), 300);
  }
  window.addEventListener("online", () => {
    if (!socket || socket.readyState > WebSocket.OPEN) connect();
  });

  // Drawing -------------------------------------------------------------------------------------------------------------
  const states = { testing: "testing", waiting: "waiting", here: "here", lost: "problem", declined: "problem", left: "left" };
  function person(one, meta, ...tools) {
    const row = make(
      "li",
      { class: "vt-person" },
      make("span", { class: "vt-person__avatar", "aria-hidden": "true", "data-state": states[one.state] }, initials(one.name)),
      make("div", {}, make("div", { class: "vt-person__name" }, one.name), make("div", { class: "vt-person__meta" }, meta.charAt(0).toUpperCase() + meta.slice(1))),
    );
    if (tools.length) row.append(make("div", { class: "vt-person__tools" }, ...tools));
    return row;
  }
  let known = new Set(); // who has been announced as waiting
  let arrivals = "";
  function drawArrivals(waiting) {
    const now = JSON.stringify(waiting);
    at("waiting-badge").hidden = !waiting.length;
    at("waiting-badge").textContent = waiting.length ? String(waiting.length) : "";
    if (now === arrivals) return;
    arrivals = now;
    if (waiting.some((one) => !known.has(one.seat))) chime();
    known = new Set(waiting.map((one) => one.seat));
    at("arrivals").replaceChildren(
      ...waiting.map((one) => {
        const admit = make("button", { class: "ds-button", type: "button", "data-fullwidth": true }, words.admit);
        const decline = make("button", { class: "ds-button", type: "button", "data-variant": "tertiary" }, words.decline);
        admit.addEventListener("click", () => {
          admit.setAttribute("aria-busy", "true");
          admit.textContent = words.admitting;
          say({ type: "admit", seat: one.seat, arrival: one.arrival });
        });
        decline.addEventListener("click", () => say({ type: "decline", seat: one.seat }));
        const card = person(one, one.facts.join(" · "));
        const box = make("section", { class: "vt-box vt-admit", role: "region", "aria-label": words.waits_outside });
        box.append(make("h2", {}, icon("WaitingRoomFill", "sm"), words.waits_outside), make("div", { class: "vt-person" }, ...card.childNodes), make("div", { class: "vt-admit__actions" }, admit, decline));
        return box;
      }),
    );
  }
  // `about` says more of somebody in the call; `mayPutOut` is true where we can end her part in it.
  function drawPeople(here, others, { me, mayPutOut, about }) {
    const rows = [];
    for (const one of here) {
      const tools = [];
      if (mayPutOut && setup.host && one.seat !== me && !one.host) {
        const out = make("button", { class: "ds-button", type: "button", "data-variant": "tertiary" }, words.put_out);
        out.addEventListener("click", () => say({ type: "decline", seat: one.seat }));
        tools.push(out);
      }
      rows.push(person(one, [one.seat === me ? words.you : "", one.role, about(one)].filter(Boolean).join(" · "), ...tools));
    }
    for (const one of others) {
      const tools = [];
      if (one.state === "declined") {
        const admit = make("button", { class: "ds-button", type: "button", "data-variant": "tertiary" }, words.admit);
        admit.addEventListener("click", () => say({ type: "admit", seat: one.seat, arrival: one.arrival }));
        tools.push(admit);
      }
      rows.push(person(one, [one.role, one.state_label].filter(Boolean).join(" · "), ...tools));
    }
    at("people").replaceChildren(...rows);
  }
  function drawLate(minutes) {
    if (!setup.host) return;
    for (const button of room.querySelectorAll("[data-late]")) button.disabled = false;
    for (const button of room.querySelectorAll("[data-late]")) button.setAttribute("aria-pressed", String(Number(button.dataset.late) === minutes));
    at("late-told").textContent = minutes ? fill(words.late_told, { minutes: String(minutes) }) : words.late_not;
  }

  // Buttons -------------------------------------------------------------------------------------------------------------
  function showPeople() {
    const open = at("side").toggleAttribute("data-open");
    at("ctl-people").setAttribute("aria-expanded", String(open));
    if (open) at("people-title").focus();
  }
  at("ctl-people").addEventListener("click", showPeople);
  at("ctl-leave").addEventListener("click", () => at("leave-dialog").showModal());
  at("leave-stay").addEventListener("click", () => at("leave-dialog").close());
  at("leave-only").addEventListener("click", leave);
  if (at("leave-end"))
    at("leave-end").addEventListener("click", () => {
      at("leave-dialog").close();
      end();
    });
  for (const button of room.querySelectorAll("[data-late]")) button.addEventListener("click", () => say({ type: "late", minutes: Number(button.dataset.late) }));

  return {
    ...{ at, drawArrivals, drawLate, drawPeople, fill, icon, initials, make, say, showPeople, stored, trouble },
    // `take` is told what comes, `place` says where the page is, `hangUp` is called once before the page ends.
    listen: (told) => (line = { ...line, ...told }),
    connect: () => socket || connect(),
  };
};
