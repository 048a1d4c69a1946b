// The address of the box (or of HQ's relay in front of it) that this mini-program asks when no code named another one:
// what stands before /phone/... in its public address, without a slash at its end. A relay's prefix belongs to it,
// for example https://hq.example/b/demo-mall/till-1. See README.md, "Which box is asked".
module.exports = {
  base: 'https://hq.example/b/demo-mall/till-1',
};
