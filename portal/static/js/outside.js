// A room at another provider, for those who sign in: who waits and is let in, running late, and the end.
// The call opens beside this page. Who has taken the link is in it, whatever becomes of this page.
(function () {
  "use strict";
  const room = document.getElementById("outside");
  if (!room) return;
  const setup = JSON.parse(document.getElementById("outside-setup").textContent);
  const words = JSON.parse(document.getElementById("outside-words").textContent);
  const beside = window.videotimeBeside(room, setup, words);
  const { at, say } = beside;
  let gone = setup.gone;

  function loadAgain() {
    say({ type: "moving" });
    setTimeout(() => location.reload(), 250);
  }
  function take(message) {
    if (message.type === "welcome") say({ type: "moving" });
    else if (message.type === "closed") at("outside-told").textContent = words["closed_" + message.why] || words.closed_gone;
    else if (message.type === "state") {
      if (setup.waits && message.you.admitted) return loadAgain();
      beside.drawArrivals(message.waiting || []);
      at("people-box").hidden = !message.people;
      // Whoever has gone there is in another's room: we can only keep the way in from her.
      beside.drawPeople(message.people || [], message.others || [], { me: message.you.seat, mayPutOut: false, about: () => "" });
      beside.drawLate(message.late || 0);
    }
  }
  beside.listen({ take, place: () => (gone || setup.waits ? "room" : "waiting") });
  if (at("outside-link"))
    at("outside-link").addEventListener("click", () => {
      gone = true;
      say({ type: "enter" });
    });
  if (setup.soon) setTimeout(loadAgain, 10000);
  beside.connect();
})();
