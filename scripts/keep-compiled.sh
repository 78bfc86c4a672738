# Sourced before a command is started: Node then keeps on disk what it compiles (services/compiled.ts), and the next
# command of the same program compiles nothing. It does nothing if the folder cannot be written.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-node_modules/.cache/bubble-im}"
