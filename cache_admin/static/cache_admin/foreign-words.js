/* No page loads this: it names texts of Django's own scripts that Django has not translated, so that makemessages finds them. */
"use strict";
[
  gettext("(click to clear)"),
  gettext("Choose all %s"),
  gettext("Choose selected %s"),
  gettext("Choose %s by selecting them and then select the \"Choose\" arrow button."),
  gettext("Remove all %s"),
  gettext("Remove selected %s"),
  gettext("Remove %s by selecting them and then select the \"Remove\" arrow button."),
];
