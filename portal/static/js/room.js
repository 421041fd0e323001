// The call: a connection from browser to browser for each of the others (up to four in all), by perfect negotiation.
// The socket says who is here and carries the signals; a call that runs goes on while the socket is away.
(function () {
  "use strict";
  const room = document.getElementById("room");
  if (!room) return;
  const setup = JSON.parse(document.getElementById("room-setup").textContent);
  const words = JSON.parse(document.getElementById("room-words").textContent);
  const icons = room.dataset.icons;
  const beside = window.videotimeBeside(room, setup, words);
  const { at, fill, icon, initials, make, say, stored, trouble } = beside;
  const session = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const peers = new Map(); // seat -> Peer
  let people = new Map(); // seat -> who is in the call, by the server's word
  let me = "";
  let ice = { iceServers: [] };
  let local = new MediaStream();
  let screen = null;
  let inside = false;
  let chosen = ""; // whose picture is the large one
  let began = 0;
  const status = (text) => {
    at("room-empty").textContent = text;
  };

  // Own camera and microphone -------------------------------------------------------------------------------------------
  function wish(kind) {
    const id = stored(localStorage, kind);
    const wanted = kind === "camera" ? { width: { ideal: 1280 }, height: { ideal: 720 } } : { echoCancellation: true, noiseSuppression: true };
    if (id) wanted.deviceId = { ideal: id };
    else if (kind === "camera") wanted.facingMode = { ideal: "user" };
    return wanted;
  }
  async function openDevices() {
    const media = navigator.mediaDevices;
    if (!media || !media.getUserMedia || !window.RTCPeerConnection) throw new Error(words.old);
    const camera = stored(localStorage, "without_camera") !== "1" || setup.host;
    const attempts = camera ? [[true, true], [false, true], [true, false]] : [[false, true]];
    let fault = null;
    for (const [video, audio] of attempts) {
      try {
        const got = await media.getUserMedia({ video: video && wish("camera"), audio: audio && wish("microphone") });
        local.getTracks().forEach((track) => track.stop());
        local = got;
        local.getVideoTracks().forEach((track) => (track.enabled = stored(sessionStorage, "camera_off") !== "1"));
        local.getAudioTracks().forEach((track) => (track.enabled = stored(sessionStorage, "microphone_off") !== "1"));
        await listDevices();
        return video === camera && audio ? "" : video ? words.missing_microphone : fault && fault.name === "NotReadableError" ? words.busy : words.missing;
      } catch (found) {
        fault = fault || found;
        if (found.name === "NotAllowedError") break;
      }
    }
    return fault && fault.name === "NotAllowedError" ? words.denied : words.missing_microphone;
  }
  async function listDevices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const [id, kind, track, name] of [
      ["choose-camera", "videoinput", local.getVideoTracks()[0], words.camera],
      ["choose-microphone", "audioinput", local.getAudioTracks()[0], words.microphone],
    ]) {
      const used = track && track.getSettings().deviceId;
      const found = devices.filter((device) => device.kind === kind);
      at(id).replaceChildren(
        ...found.map((device, index) => {
          const option = make("option", { value: device.deviceId }, device.label || name + " " + (index + 1));
          option.selected = device.deviceId === used;
          return option;
        }),
      );
      if (kind === "videoinput") at("ctl-flip").hidden = found.length < 2;
    }
  }
  function track(kind) {
    if (kind === "video" && screen) return screen.getVideoTracks()[0] || null;
    return local.getTracks().find((one) => one.kind === kind) || null;
  }
  async function replaceTracks() {
    for (const peer of peers.values()) peer.setTracks();
    draw();
    tellMedia();
  }
  function on(kind) {
    const found = kind === "video" && screen ? screen.getVideoTracks()[0] : local.getTracks().find((one) => one.kind === kind);
    return Boolean(found && found.enabled);
  }
  function media() {
    return { microphone: on("audio"), camera: on("video"), sharing: Boolean(screen) };
  }
  function tellMedia() {
    for (const seat of peers.keys()) signal(seat, { media: media() });
  }

  // Connections -----------------------------------------------------------------------------------------------------------
  function signal(to, what) {
    say({ type: "signal", to, session, ...what });
  }
  class Peer {
    constructor(seat, theirs) {
      this.seat = seat;
      this.theirs = theirs;
      this.polite = me < seat;
      this.making = false;
      this.ignoring = false;
      this.early = [];
      this.media = { microphone: true, camera: true, sharing: false };
      this.stream = new MediaStream();
      this.code = "";
      this.failedAt = 0;
      const pc = (this.pc = new RTCPeerConnection(ice));
      this.senders = {};
      pc.onnegotiationneeded = async () => {
        try {
          this.making = true;
          await pc.setLocalDescription();
          signal(seat, { description: { type: pc.localDescription.type, sdp: pc.localDescription.sdp } });
        } catch (fault) {
          console.warn("negotiation", fault.name);
        } finally {
          this.making = false;
        }
      };
      pc.onicecandidate = ({ candidate }) => {
        if (candidate) signal(seat, { candidate: plain(candidate) });
      };
      pc.ontrack = ({ track: got }) => {
        for (const old of this.stream.getTracks()) if (old.kind === got.kind) this.stream.removeTrack(old);
        this.stream.addTrack(got);
        draw();
      };
      pc.onconnectionstatechange = () => {
        if (pc.connectionState === "connected") {
          this.failedAt = 0;
          trouble("");
          this.findCode();
          signal(seat, { media: media() });
        }
        if (pc.connectionState === "failed") {
          this.failedAt = this.failedAt || Date.now();
          pc.restartIce();
          if (people.has(seat)) trouble(fill(words.trouble, { phone: setup.phone || "" }));
        }
        draw();
      };
      // The one who offers lays out both kinds; the other answers on the same.
      if (!this.polite) this.start();
    }
    start() {
      for (const kind of ["audio", "video"]) {
        const transceiver = this.pc.addTransceiver(track(kind) || kind, { direction: "sendrecv" });
        this.senders[kind] = transceiver.sender;
      }
    }
    setTracks() {
      for (const transceiver of this.pc.getTransceivers()) {
        const kind = transceiver.receiver.track.kind;
        this.senders[kind] = transceiver.sender;
        if (transceiver.direction === "recvonly" || transceiver.direction === "inactive") transceiver.direction = "sendrecv";
        transceiver.sender.replaceTrack(track(kind)).catch((fault) => console.warn("track", fault.name));
      }
    }
    async take({ description, candidate, media: told }) {
      const pc = this.pc;
      if (told) {
        this.media = told;
        draw();
      }
      try {
        if (description) {
          const collision = description.type === "offer" && (this.making || pc.signalingState !== "stable");
          this.ignoring = !this.polite && collision;
          if (this.ignoring) return;
          await pc.setRemoteDescription(description);
          for (const waiting of this.early.splice(0)) await pc.addIceCandidate(waiting);
          if (description.type === "offer") {
            this.setTracks();
            await pc.setLocalDescription();
            signal(this.seat, { description: { type: pc.localDescription.type, sdp: pc.localDescription.sdp } });
          }
        } else if (candidate) {
          if (!pc.remoteDescription) this.early.push(candidate);
          else await pc.addIceCandidate(candidate);
        }
      } catch (fault) {
        if (!this.ignoring) console.warn("signal", fault.name);
      }
    }
    async findCode() {
      const prints = [this.pc.localDescription, this.pc.remoteDescription].map((one) => (one.sdp.match(/a=fingerprint:\S+ (\S+)/) || [])[1] || "");
      if (!crypto.subtle || prints.includes("")) return;
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(prints.sort().join(" "))));
      const digits = String(((digest[0] << 24) | (digest[1] << 16) | (digest[2] << 8) | digest[3]) >>> 0).padStart(10, "0");
      this.code = digits.slice(-8, -4) + " " + digits.slice(-4);
      draw();
    }
    // The other one is here and has not answered: the offer was lost on its way.
    repeat() {
      const { pc } = this;
      if (pc.signalingState === "have-local-offer" && pc.connectionState === "new" && !this.making)
        signal(this.seat, { description: { type: pc.localDescription.type, sdp: pc.localDescription.sdp } });
    }
    close() {
      this.pc.close();
    }
  }
  function plain(candidate) {
    const { candidate: text, sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    return { candidate: text, sdpMid, sdpMLineIndex, usernameFragment };
  }
  function meet(seat, theirs) {
    const old = peers.get(seat);
    if (old && old.theirs === theirs) return old;
    if (old) old.close();
    const peer = new Peer(seat, theirs);
    peers.set(seat, peer);
    draw();
    return peer;
  }
  function drop(seat) {
    const peer = peers.get(seat);
    if (!peer) return;
    peer.close();
    peers.delete(seat);
  }
  function heard(message) {
    if (!inside) return;
    const known = peers.get(message.from);
    const peer = !known || known.theirs !== message.session ? meet(message.from, message.session) : known;
    if (message.hello === "first") {
      signal(message.from, { hello: "answer" });
      peer.repeat();
    }
    if (message.description || message.candidate || message.media) peer.take(message);
  }
  // Greet whoever is here without a connection: the first time, after a lost message, after a reload on either side.
  function greet() {
    if (!inside) return;
    for (const [seat, person] of people) {
      if (seat === me || person.state !== "here") continue;
      const peer = peers.get(seat);
      const stuck = peer && peer.failedAt && Date.now() - peer.failedAt > 15000;
      if (stuck) drop(seat);
      if (!peer || stuck || peer.pc.connectionState === "new") signal(seat, { hello: "first" });
    }
  }
  setInterval(greet, 3000);

  // The socket --------------------------------------------------------------------------------------------------------------
  function take(message) {
    if (message.type === "welcome") {
      me = message.seat;
      ice = message.ice;
      inside = true;
    } else if (message.type === "state") takeState(message);
    else if (message.type === "signal") heard(message);
    else if (message.type === "closed") {
      status(words["closed_" + message.why] || words.closed_gone);
      at("main-feed").hidden = true;
      at("room-empty").hidden = false;
    }
  }
  function takeState(state) {
    if (!inside && state.you.admitted) say({ type: "enter" });
    if (!inside) {
      status(words.waiting_to_enter);
      return;
    }
    people = new Map((state.people || []).map((person) => [person.seat, person]));
    for (const seat of [...peers.keys()]) if (!people.has(seat)) drop(seat);
    if (people.size > 1 && !began) began = Date.now();
    greet();
    beside.drawArrivals(state.waiting || []);
    beside.drawPeople(people.values(), state.others || [], { me, mayPutOut: true, about: codeOf });
    beside.drawLate(state.late || 0);
    draw();
  }
  function hangUp() {
    for (const seat of [...peers.keys()]) drop(seat);
    local.getTracks().forEach((one) => one.stop());
    if (screen) screen.getTracks().forEach((one) => one.stop());
  }
  beside.listen({ take, hangUp });
  function codeOf({ seat }) {
    const peer = peers.get(seat);
    return peer && peer.code ? fill(words.code, { code: peer.code }) : "";
  }

  // Drawing -------------------------------------------------------------------------------------------------------------------
  const pictures = new Map(); // seat -> its <video>, kept so that pictures do not blink
  const sounds = new Map();
  function video(seat, stream, mirror) {
    let element = pictures.get(seat);
    if (!element) {
      element = make("video", { autoplay: true, playsinline: true });
      element.muted = true; // sound has elements of its own, which no drawing ever moves
      pictures.set(seat, element);
    }
    if (element.srcObject !== stream) element.srcObject = stream;
    element.toggleAttribute("data-mirror", mirror);
    return element;
  }
  function sound(seat, stream) {
    let element = sounds.get(seat);
    if (!element) {
      element = make("audio", { autoplay: true });
      sounds.set(seat, element);
      at("sounds").append(element);
    }
    if (element.srcObject !== stream) element.srcObject = stream;
    element.play().catch(() => document.addEventListener("click", () => element.play().catch(() => null), { once: true }));
  }
  function feeds() {
    const list = [];
    for (const [seat, person] of people) {
      if (seat === me) continue;
      const peer = peers.get(seat);
      const connected = peer && ["connected", "disconnected", "failed"].includes(peer.pc.connectionState);
      const role = (person.role || "").charAt(0).toLowerCase() + (person.role || "").slice(1);
      const label = role ? person.name + ", " + role : person.name;
      list.push({
        seat,
        label,
        name: person.name,
        stream: peer ? peer.stream : null,
        camera: Boolean(peer && connected && peer.media.camera && peer.stream.getVideoTracks().length),
        microphone: peer ? peer.media.microphone : true,
        sharing: Boolean(peer && peer.media.sharing),
        note: person.state === "lost" || (peer && peer.pc.connectionState === "failed") ? words.lost : connected ? "" : words.connecting,
      });
    }
    return list;
  }
  function own() {
    const shown = screen || local;
    return { seat: "own", label: words.you, name: setup.name || words.you, stream: shown, camera: on("video"), microphone: on("audio"), sharing: Boolean(screen), note: "", own: true };
  }
  function inner(feed, said = feed.label) {
    const parts = [];
    if (feed.stream && feed.camera) {
      const facing = feed.own && !screen && local.getVideoTracks()[0] ? local.getVideoTracks()[0].getSettings().facingMode : "";
      const element = video(feed.seat, feed.stream, Boolean(feed.own && !screen && facing !== "environment"));
      element.toggleAttribute("data-screen", feed.sharing);
      element.setAttribute("aria-label", feed.own ? words.your_picture : fill(words.picture_of, { name: feed.name }));
      parts.push(element);
    } else parts.push(make("span", { class: "vt-feed__off" }, make("span", { "aria-hidden": "true" }, initials(feed.name))));
    parts.push(
      make("span", { class: "vt-feed__name" }, icon(feed.microphone ? "Microphone" : "MicrophoneSlash"), feed.note ? said + " · " + feed.note : said),
    );
    return parts;
  }
  const narrow = matchMedia("(max-width: 47.99em)");
  narrow.addEventListener("change", () => draw());
  let drawn = "";
  function draw() {
    if (!inside) return;
    const others = feeds();
    for (const feed of others) if (feed.stream && feed.stream.getAudioTracks().length) sound(feed.seat, feed.stream);
    for (const [seat, element] of sounds)
      if (!people.has(seat)) {
        element.remove();
        sounds.delete(seat);
      }
    for (const seat of [...pictures.keys()]) if (seat !== "own" && !people.has(seat)) pictures.delete(seat);
    const mine = own();
    const large = others.find((feed) => feed.seat === chosen) || others.find((feed) => feed.sharing) || others[0] || null;
    // Who films for others with a phone must see well what she films: the screen is split in two.
    const split = Boolean(setup.films && narrow.matches);
    const small = [...others.filter((feed) => feed !== large), ...(split ? [] : [mine])];
    // Draw only what has changed, so that focus and running pictures stay.
    const now = split + narrow.matches + JSON.stringify([large, mine, ...small].map((feed) => feed && [feed.seat, feed.label, feed.camera, feed.microphone, feed.sharing, feed.note, feed.stream && feed.stream.id, feed.stream && feed.stream.getTracks().length]));
    if (now !== drawn) {
      drawn = now;
      const main = at("main-feed");
      main.hidden = !large;
      at("room-empty").hidden = Boolean(large);
      if (!large) status(words.waiting_for);
      main.replaceChildren(...(large ? inner(large) : []));
      at("stage").toggleAttribute("data-split", split);
      at("own-feed").hidden = !split;
      at("own-feed").replaceChildren(...(split ? inner(mine) : []));
      at("thumbs").replaceChildren(
        ...small.map((feed) => {
          const tile = make(feed.own ? "div" : "button", { class: "vt-feed", type: feed.own ? null : "button", "data-seat": feed.seat });
          // On a telephone there is room for one name.
          tile.append(...inner(feed, narrow.matches && !feed.own ? feed.name.split(" ")[0] : feed.label));
          if (!feed.own) tile.addEventListener("click", () => choose(feed.seat));
          return make("li", {}, tile);
        }),
      );
      for (const element of pictures.values()) element.play().catch(() => null);
    }
    drawControls();
  }
  function choose(seat) {
    chosen = seat;
    draw();
  }
  function control(id, isOn, glyph, glyphOff, label, labelOff, long, longOff) {
    const button = at(id);
    button.toggleAttribute("data-off", !isOn);
    button.setAttribute("aria-pressed", String(!isOn));
    button.setAttribute("aria-label", isOn ? long : longOff);
    button.querySelector("use").setAttribute("href", icons + "#" + (isOn ? glyph : glyphOff));
    button.querySelector("span").textContent = isOn ? label : labelOff;
  }
  function drawControls() {
    control("ctl-sound", on("audio"), "MicrophoneFill", "MicrophoneSlashFill", words.sound_on, words.sound_off, words.sound_on_long, words.sound_off_long);
    control("ctl-camera", on("video"), "VideoFill", "VideoSlashFill", words.picture_on, words.picture_off, words.picture_on_long, words.picture_off_long);
    at("ctl-share").querySelector("span").textContent = screen ? words.share_stop : words.share;
  }
  setInterval(() => {
    if (!began) return;
    const seconds = Math.floor((Date.now() - began) / 1000);
    at("room-clock").textContent = String(Math.floor(seconds / 60)).padStart(2, "0") + "." + String(seconds % 60).padStart(2, "0");
  }, 1000);

  // Buttons and keys --------------------------------------------------------------------------------------------------------------
  function toggle(kind) {
    const found = local.getTracks().find((one) => one.kind === kind);
    if (!found) return;
    found.enabled = !found.enabled;
    stored(sessionStorage, kind === "audio" ? "microphone_off" : "camera_off", found.enabled ? "" : "1");
    tellMedia();
    draw();
    drawControls();
  }
  async function share() {
    if (screen) {
      screen.getTracks().forEach((one) => one.stop());
      screen = null;
      return replaceTracks();
    }
    try {
      screen = await navigator.mediaDevices.getDisplayMedia({ video: true });
    } catch {
      return; // she changed her mind
    }
    screen.getVideoTracks()[0].addEventListener("ended", () => {
      screen = null;
      replaceTracks();
    });
    await replaceTracks();
  }
  async function changeDevice() {
    trouble(await openDevices());
    at("ready-picture").srcObject = local;
    await replaceTracks();
  }
  at("ctl-sound").addEventListener("click", () => toggle("audio"));
  at("ctl-camera").addEventListener("click", () => toggle("video"));
  at("ctl-share").addEventListener("click", share);
  at("ctl-share").hidden = !(navigator.mediaDevices && navigator.mediaDevices.getDisplayMedia);
  at("ctl-flip").addEventListener("click", () => {
    const select = at("choose-camera");
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    stored(localStorage, "camera", select.value);
    changeDevice();
  });
  at("ctl-devices").addEventListener("click", () => {
    at("ready-picture").srcObject = local;
    at("ready").hidden = !at("ready").hidden;
  });
  for (const kind of ["camera", "microphone"])
    at("choose-" + kind).addEventListener("change", (event) => {
      stored(localStorage, kind, event.target.value);
      changeDevice();
    });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || at("leave-dialog").open) return;
    const key = event.key.toLowerCase();
    if (key === "m") toggle("audio");
    else if (key === "k") toggle("video");
    else if (key === "d") beside.showPeople();
  });
  window.addEventListener("online", () => {
    for (const peer of peers.values()) if (peer.pc.connectionState !== "connected") peer.pc.restartIce();
  });

  // The first time on this device a look at the picture; after that straight in -----------------------------------------------
  async function begin() {
    let fault = "";
    try {
      fault = await openDevices();
    } catch (found) {
      fault = found.message;
    }
    const tested = !setup.ticket.startsWith("/rom/") || stored(localStorage, "tested") === "1";
    if (tested) {
      trouble(fault);
      return beside.connect();
    }
    at("ready").hidden = false;
    at("ready-picture").srcObject = local;
    at("ready-fault").hidden = !fault;
    at("ready-fault").textContent = fault;
    at("ready-join").focus();
  }
  at("ready-join").addEventListener("click", () => {
    at("ready").hidden = true;
    stored(localStorage, "tested", "1");
    if (!inside) beside.connect();
  });
  // For the support desk, in the browser's console: what has come through so far.
  window.videotimeStats = async () => {
    const found = [];
    for (const [seat, peer] of peers) {
      const one = { seat, state: peer.pc.connectionState, frames: 0, packets: 0, code: peer.code, through: [] };
      const reports = await peer.pc.getStats();
      reports.forEach((report) => {
        if (report.type === "inbound-rtp") {
          if (report.kind === "video") one.frames += report.framesDecoded || 0;
          if (report.kind === "audio") one.packets += report.packetsReceived || 0;
        }
        if (report.type === "transport" && report.selectedCandidatePairId) {
          const pair = reports.get(report.selectedCandidatePairId);
          for (const id of [pair.localCandidateId, pair.remoteCandidateId]) one.through.push(reports.get(id).candidateType);
        }
      });
      found.push(one);
    }
    return found;
  };
  begin();
})();
