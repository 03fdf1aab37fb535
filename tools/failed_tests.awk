#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

# Prints the failed tests in the output of stestr, each with the end of its
# traceback, in a few lines that fit at the end of a long log.

function flush(    i) {
    for (i = (count > LINES ? count - LINES : 0); i < count; i++)
        print "        " lines[i]
    count = 0
}

BEGIN { LINES = 6 }
/^Failed [0-9]+ tests? - output below:/ { details = 1 }
!details { next }
/^-+$/ && length(before) == length($0) {
    if (traceback && count)
        count--  # the name is not a part of the traceback before
    flush()
    print "    " before
}
/^Captured .*:$/ { traceback = /traceback/; if (traceback) count = 0 }
/^(======|Totals)$/ { flush(); exit }
traceback && !/^Captured|^~+$|^[ \t]*$/ { lines[count++] = substr($0, 1, 200) }
# The last of several tracebacks counts; other output is left out.
/^Captured/ && !/traceback/ { traceback = 0 }
{ before = $0 }
END { flush() }
