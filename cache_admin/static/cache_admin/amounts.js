/* Numbers as people read them, in the language of the page. */
"use strict";
window.amounts = (() => {
  const language = document.documentElement.lang || "en";
  const tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  return {
    language,
    count: (value) => whole.format(value),
    /** As in "3.5 s". */
    seconds: (value) => interpolate(gettext("%s s"), [tenths.format(value)]),
  };
})();
