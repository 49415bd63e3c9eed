// How fast npm's echonet-lite reads the frame of main.cpp. Prints frames per second.
'use strict';
const EL = require('echonet-lite');
const frame = Buffer.from('1081000105fd0105ff017203800130840200648504000012' + '34', 'hex');
const frames = Number(process.argv[2] || 300000);
let seen = 0;
const read = (count) => {
  for (let i = 0; i < count; ++i) {
    frame[3] = i & 0xff;
    const parsed = EL.parseBytes(frame);
    seen += parsed.OPC.length + Object.keys(parsed.DETAILs).length;
  }
};
read(20000);
const began = process.hrtime.bigint();
read(frames);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
console.log(JSON.stringify({frames_per_s: Math.round(frames / seconds), seen: seen > 0}));
process.exit(0);
