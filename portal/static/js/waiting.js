// The waiting room: it moves on by itself, by socket or, where sockets do not get through, by asking every few seconds.
(function () {
  "use strict";

  // Too early: count down by the server's seconds, then load the page again.
  var countdown = document.getElementById("countdown");
  if (countdown) {
    var left = Number(countdown.getAttribute("data-seconds"));
    var began = Date.now();
    setInterval(function () {
      var seconds = left - Math.floor((Date.now() - began) / 1000);
      if (seconds <= 0) {
        location.reload();
        return;
      }
      var minutes = Math.ceil(seconds / 60);
      if (minutes < 60) {
        var word = minutes === 1 ? "data-word-minute" : "data-word-minutes";
        countdown.textContent = countdown.getAttribute(word).replace("{minutes}", String(minutes));
      }
    }, 1000);
    return;
  }

  // Let in to a room elsewhere: straight on the first time; who comes back from there presses the button herself.
  var onward = document.getElementById("onward");
  if (onward) {
    if (onward.hasAttribute("data-at-once")) onward.submit();
    return;
  }

  var box = document.getElementById("waiting");
  if (!box) return;
  var setup = JSON.parse(document.getElementById("waiting-setup").textContent);
  var words = JSON.parse(document.getElementById("waiting-words").textContent);
  var icons = box.getAttribute("data-icons");
  var status = document.getElementById("waiting-status");
  var calm = status.textContent;
  var late = document.getElementById("waiting-late");
  var clock = document.getElementById("waiting-clock");
  var socket = null;
  var tries = 0;
  var gone = false;
  var polling = null;

  function take(state) {
    if (gone) return;
    late.hidden = !state.late;
    late.lastElementChild.textContent = state.late ? words.late.replace("{minutes}", String(state.late)) : "";
    status.textContent = calm;
    if (state.over || (state.you && state.you.state === "declined")) go(setup.home);
    else if (state.you && state.you.admitted) {
      status.textContent = words.moved;
      chime();
      go(setup.room);
    }
  }

  function go(address) {
    gone = true;
    if (socket && socket.readyState === 1) socket.send(JSON.stringify({ type: "moving" }));
    setTimeout(function () {
      location.assign(address);
    }, 250);
  }

  function chime() {
    try {
      var context = new (window.AudioContext || window.webkitAudioContext)();
      var tone = context.createOscillator();
      var volume = context.createGain();
      tone.frequency.value = 660;
      volume.gain.setValueAtTime(0.2, context.currentTime);
      volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.6);
      tone.connect(volume).connect(context.destination);
      tone.start();
      tone.stop(context.currentTime + 0.6);
    } catch (ignored) {
      return; // no sound is no reason not to go in
    }
  }

  function ask() {
    var token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
    fetch(setup.state, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } })
      .then(function (answer) {
        if (answer.status === 409 || answer.status === 410) {
          go(setup.home);
          return null;
        }
        if (!answer.ok) throw new Error("not answered");
        return answer.json();
      })
      .then(function (state) {
        if (state) take(state);
      })
      .catch(function () {
        status.textContent = words.offline;
      });
  }

  function poll(on) {
    if (on && !polling) polling = setInterval(ask, 5000);
    if (!on && polling) {
      clearInterval(polling);
      polling = null;
    }
  }

  function connect() {
    if (gone) return;
    fetch(setup.ticket, { headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (answer.status === 409 || answer.status === 410) {
          go(setup.home);
          return null;
        }
        return answer.json();
      })
      .then(function (given) {
        if (!given || !window.WebSocket) return;
        socket = new WebSocket(setup.socket);
        socket.onopen = function () {
          socket.send(JSON.stringify({ type: "hello", ticket: given.ticket, place: "waiting" }));
        };
        socket.onmessage = function (event) {
          var message = JSON.parse(event.data);
          if (message.type === "state") {
            tries = 0;
            poll(false);
            take(message);
          } else if (message.type === "closed") go(setup.home);
        };
        socket.onclose = again;
      })
      .catch(again);
  }

  function again() {
    if (gone) return;
    poll(true);
    tries += 1;
    setTimeout(connect, Math.min(30000, 1000 * Math.pow(2, tries)));
  }

  // One's own picture, small, as a sign that all is well.
  function toggles(stream) {
    var area = document.getElementById("waiting-devices");
    area.hidden = false;
    [
      ["waiting-sound", "audio", "microphone_off", words.sound_on, words.sound_off, "Microphone", "MicrophoneSlash"],
      ["waiting-camera", "video", "camera_off", words.picture_on, words.picture_off, "Video", "VideoSlash"],
    ].forEach(function (row) {
      var button = document.getElementById(row[0]);
      button.hidden = !stream.getTracks().some(function (track) {
        return track.kind === row[1];
      });
      function show() {
        var off = kept(row[2]) === "1";
        stream.getTracks().forEach(function (track) {
          if (track.kind === row[1]) track.enabled = !off;
        });
        button.setAttribute("aria-pressed", String(!off));
        button.lastElementChild.textContent = off ? row[4] : row[3];
        button.querySelector("use").setAttribute("href", icons + "#" + (off ? row[6] : row[5]));
      }
      button.addEventListener("click", function () {
        keep(row[2], kept(row[2]) === "1" ? "" : "1");
        show();
      });
      show();
    });
  }

  function kept(name) {
    try {
      return sessionStorage.getItem("videotime." + name) || "";
    } catch (ignored) {
      return "";
    }
  }

  function keep(name, value) {
    try {
      sessionStorage.setItem("videotime." + name, value);
    } catch (ignored) {
      return;
    }
  }

  function device(name) {
    try {
      return localStorage.getItem("videotime." + name) || "";
    } catch (ignored) {
      return "";
    }
  }

  if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia && window.RTCPeerConnection) {
    var camera = device("camera") ? { deviceId: { ideal: device("camera") } } : { facingMode: { ideal: "user" } };
    navigator.mediaDevices
      .getUserMedia({ audio: true, video: device("without_camera") ? false : camera })
      .then(function (stream) {
        var picture = document.getElementById("waiting-picture");
        if (stream.getVideoTracks().length) {
          picture.srcObject = stream;
          picture.hidden = false;
        }
        toggles(stream);
      })
      .catch(function () {
        return; // the room asks again, and says what is wrong
      });
  }

  /* The time in Norway: the phone may be set wrong, or be in another country. */
  var opened = Date.now();
  setInterval(function () {
    var minutes = Math.floor((setup.clock.seconds + (Date.now() - opened) / 1000) / 60) % 1440;
    var parts = [Math.floor(minutes / 60), minutes % 60].map(function (part) {
      return String(part).padStart(2, "0");
    });
    clock.textContent = words.clock.replace("{clock}", parts.join(setup.clock.separator));
  }, 10000);
  connect();
  window.addEventListener("online", function () {
    if (!socket || socket.readyState > 1) connect();
  });
})();
