/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point, apart from the rest so that tests can link with that. */

#include "utilities/xvs-agent/agent.h"

int
main(int argc, char *argv[])
{
    return agent_main(argc, argv);
}
