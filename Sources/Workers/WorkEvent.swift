/// What is heard of long work while it runs: how far it is, or what it found.
///
/// Each kind of work has its own: `Progress` of all, and others such as a candidate that was tried. New ones may come; listeners
/// pass over those that they do not know.
package protocol WorkEvent: Sendable {}
