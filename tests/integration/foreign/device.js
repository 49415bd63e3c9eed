// A television and an electric energy sensor played by the npm package echonet-lite, which nobody here wrote.
//   node device.js ADDRESS
// Tells each request on standard output as JSON. On standard input: "on" and "off" switch the television.
'use strict';
const EL = require('echonet-lite');

const television = '060201';
const sensor = '002201';
const identity = (last) => [0xfe, 0x00, 0x00, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
const details = {
  [television]: {
    '80': [0x31], '81': [0x08], '82': [0x00, 0x00, 0x52, 0x01], '83': identity(2), '88': [0x42], '8a': [0x00, 0x00, 0x77],
    '84': [0x00, 0x00], '85': [0x00, 0x00, 0x03, 0xe8],
    '9d': [0x03, 0x80, 0x81, 0x88], '9e': [0x02, 0x80, 0x81],
    '9f': [0x0b, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x88, 0x8a, 0x9d, 0x9e, 0x9f],
  },
  [sensor]: {
    '80': [0x30], '81': [0x08], '82': [0x00, 0x00, 0x52, 0x01], '83': identity(3), '88': [0x42], '8a': [0x00, 0x00, 0x77],
    'e0': [0x00, 0x00, 0x27, 0x10], 'e1': [0x00, 0x00, 0x00, 0x64],
    '9d': [0x03, 0x80, 0x81, 0x88], '9e': [0x01, 0x81],
    '9f': [0x0b, 0x80, 0x81, 0x82, 0x83, 0x88, 0x8a, 0x9d, 0x9e, 0x9f, 0xe0, 0xe1],
  },
};

const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

function onFrame(rinfo, els, error) {
  if (error) return tell({ event: 'error', text: String(error) });
  if (!details[els.DEOJ]) return;
  if (els.ESV === EL.GET) {
    tell({ event: 'get', eoj: els.DEOJ, epcs: Object.keys(els.DETAILs), at: Date.now() });
    EL.replyGetDetail(rinfo, els, details);
  } else if (els.ESV === EL.SETC || els.ESV === EL.SETI) {
    tell({ event: 'set', eoj: els.DEOJ, details: els.DETAILs });
    EL.replySetDetail(rinfo, els, details);
  }
}

function change(text) {
  const on = text.trim() === 'on';
  details[television]['80'] = [on ? 0x30 : 0x31];
  details[television]['84'] = [0x00, on ? 0x5a : 0x00];
  EL.sendOPC1(EL.Multi, EL.toHexArray(television), EL.toHexArray(EL.NODE_PROFILE_OBJECT), 0x73, 0x80, details[television]['80']);
  tell({ event: 'changed', on, at: Date.now() });
}

// Nothing asks others by itself: what arrives at the gateway is the gateway's own doing.
EL.initialize([television, sensor], onFrame, 4,
  { v4: process.argv[2] || '', ignoreMe: true, autoGetProperties: false, debugMode: false })
  .then(() => {
    EL.Node_details['83'] = identity(1);
    tell({ event: 'ready' });
  });
process.stdin.on('data', (data) => String(data).split('\n').filter(Boolean).forEach(change));
process.stdin.on('end', () => process.exit(0));
