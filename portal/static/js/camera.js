// The camera test: picture, microphone level, test sound, other devices, and plain words when something is in the way.
(function () {
  "use strict";
  var box = document.getElementById("camera-test");
  if (!box) return;
  var words = JSON.parse(document.getElementById("camera-words").textContent);
  var icons = box.getAttribute("data-icons");
  var picture = document.getElementById("camera-picture");
  var trouble = document.getElementById("camera-trouble");
  var flip = document.getElementById("camera-flip");
  var cameras = document.getElementById("choose-camera");
  var microphones = document.getElementById("choose-microphone");
  var level = document.getElementById("level");
  var stream = null;
  var heard = false;
  var meter = null;
  box.hidden = false;

  function check(name, state, text) {
    var row = document.getElementById("check-" + name);
    if (state) row.setAttribute("data-state", state);
    else row.removeAttribute("data-state");
    row.querySelector(".vt-check__meta").textContent = text;
    var shape = { "": "CheckmarkCircleFill", problem: "XMarkOctagon" }[state];
    if (shape) row.querySelector("use").setAttribute("href", icons + "#" + shape);
  }

  function found(name, answer) {
    var fields = name === "camera" ? ["found-camera"] : ["found-microphone", "found-microphone-only"];
    fields.forEach(function (id) {
      var field = document.getElementById(id);
      if (field) field.value = answer;
    });
  }

  function complain(text) {
    trouble.hidden = !text;
    trouble.firstElementChild.textContent = text;
  }

  function kept(name) {
    try {
      return localStorage.getItem("videotime." + name) || "";
    } catch (ignored) {
      return ""; // private windows keep nothing; then the browser's own choice is used
    }
  }

  function keep(name, value) {
    try {
      localStorage.setItem("videotime." + name, value);
    } catch (ignored) {
      return;
    }
  }

  function wanted(kind) {
    var id = kept(kind);
    var wish = kind === "camera" ? { width: { ideal: 1280 }, height: { ideal: 720 } } : { echoCancellation: true };
    if (id) wish.deviceId = { ideal: id };
    else if (kind === "camera") wish.facingMode = { ideal: "user" };
    return wish;
  }

  function ask(video, audio) {
    return navigator.mediaDevices.getUserMedia({ video: video && wanted("camera"), audio: audio && wanted("microphone") });
  }

  function start() {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia || !window.RTCPeerConnection) {
      complain(words.old);
      check("camera", "problem", words.off);
      check("microphone", "problem", words.off);
      found("camera", "no");
      found("microphone", "no");
      return;
    }
    stop();
    ask(true, true)
      .catch(function (fault) {
        if (fault.name === "NotAllowedError") throw fault;
        // One of the two is missing or busy: try what is left.
        return ask(false, true).then(
          function (sound) {
            complain(fault.name === "NotReadableError" ? words.busy : words.missing);
            return sound;
          },
          function () {
            complain(words.missing_microphone);
            return ask(true, false);
          },
        );
      })
      .then(show, function (fault) {
        complain(fault.name === "NotAllowedError" ? words.denied : words.missing);
        check("camera", "problem", words.off);
        check("microphone", "problem", words.off);
        found("camera", "no");
        found("microphone", "no");
      });
  }

  function stop() {
    if (meter) clearInterval(meter);
    if (stream)
      stream.getTracks().forEach(function (track) {
        track.stop();
      });
  }

  function show(got) {
    stream = got;
    picture.srcObject = got;
    var video = got.getVideoTracks()[0];
    var audio = got.getAudioTracks()[0];
    if (video) {
      var facing = video.getSettings ? video.getSettings().facingMode : "";
      picture.toggleAttribute("data-back", facing === "environment");
      check("camera", "", words.works);
    } else check("camera", "problem", words.off);
    found("camera", video ? "yes" : "no");
    found("microphone", audio ? "yes" : "no");
    if (audio) listen(got);
    else check("microphone", "problem", words.off);
    navigator.mediaDevices.enumerateDevices().then(list);
  }

  function listen(got) {
    heard = false;
    check("microphone", "todo", words.speak);
    var context = new (window.AudioContext || window.webkitAudioContext)();
    var analyser = context.createAnalyser();
    analyser.fftSize = 256;
    context.createMediaStreamSource(got).connect(analyser);
    var samples = new Uint8Array(analyser.fftSize);
    meter = setInterval(function () {
      if (context.state === "suspended") context.resume();
      analyser.getByteTimeDomainData(samples);
      var loudest = 0;
      samples.forEach(function (sample) {
        loudest = Math.max(loudest, Math.abs(sample - 128));
      });
      level.value = Math.min(100, loudest * 2);
      if (!heard && loudest > 6) {
        heard = true;
        check("microphone", "", words.heard);
      }
    }, 100);
  }

  function list(devices) {
    fill(cameras, devices, "videoinput", stream.getVideoTracks()[0], words.camera);
    fill(microphones, devices, "audioinput", stream.getAudioTracks()[0], words.microphone);
    flip.hidden = cameras.options.length < 2;
  }

  function fill(select, devices, kind, track, name) {
    var used = track && track.getSettings ? track.getSettings().deviceId : "";
    select.textContent = "";
    devices
      .filter(function (device) {
        return device.kind === kind;
      })
      .forEach(function (device, index) {
        var option = document.createElement("option");
        option.value = device.deviceId;
        option.textContent = device.label || name + " " + (index + 1);
        option.selected = device.deviceId === used;
        select.append(option);
      });
  }

  cameras.addEventListener("change", function () {
    keep("camera", cameras.value);
    start();
  });
  microphones.addEventListener("change", function () {
    keep("microphone", microphones.value);
    start();
  });
  flip.addEventListener("click", function () {
    cameras.selectedIndex = (cameras.selectedIndex + 1) % cameras.options.length;
    cameras.dispatchEvent(new Event("change"));
  });

  document.getElementById("speaker-play").addEventListener("click", function () {
    var context = new (window.AudioContext || window.webkitAudioContext)();
    [523, 659, 784].forEach(function (pitch, index) {
      var tone = context.createOscillator();
      var volume = context.createGain();
      var from = context.currentTime + index * 0.25;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.35);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.4);
    });
    check("speaker", "todo", words.played);
  });
  var without = document.getElementById("without-camera");
  if (without)
    without.addEventListener("submit", function () {
      keep("without_camera", "1");
    });
  var form = document.getElementById("found-camera");
  if (form)
    form.form.addEventListener("submit", function () {
      keep("without_camera", "");
    });
  window.addEventListener("pagehide", stop);
  start();
})();
