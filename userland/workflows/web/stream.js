// The picture is there only when stream.yaml runs beside web.yaml.
"use strict";

const picture = document.querySelector("#video img");

function hide() {
  document.getElementById("video").hidden = true;
}

picture.addEventListener("error", hide);
if (picture.complete && picture.naturalWidth === 0) {
  hide(); // it had failed before anybody listened
}
