/* Browsers without :has() drop the design system as a whole: they get the plain page (videotime.css, section 17). */
(function () {
  if (!(window.CSS && CSS.supports && CSS.supports("selector(:has(a))"))) {
    document.documentElement.className += " vt-old";
  }
})();
