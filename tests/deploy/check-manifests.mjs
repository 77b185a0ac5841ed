// SPDX-License-Identifier: Apache-2.0
// Called by check-manifests with the top folder of the sources, in a folder with the npm packages.
//
// A manifest is checked twice: the package's validator checks types, formats and enumerations at
// run time but ignores members it does not know; so the same object is also compiled, as a
// TypeScript literal of the resource's type, which finds misspelled members.

import fs from 'node:fs';
import path from 'node:path';
import yaml from 'js-yaml';
import ts from 'typescript';
import { validate as validateDockerfile } from 'dockerfile-utils';

const top = process.argv[2];
const at = (name) => path.join(top, 'deploy', name);
let checks = 0;
let failures = 0;

function check(what, ok, why) {
    checks++;
    if (!ok) {
        failures++;
        console.log(`check-manifests: FAILED: ${what}${why ? ': ' + why : ''}`);
    }
}

// ---------------------------------------------------------------- Kubernetes

// Resources of other API groups, which the package does not have: members and their types.
const foreign = {
    'k8s.cni.cncf.io/v1 NetworkAttachmentDefinition':
        'interface Foreign { apiVersion: string; kind: string; metadata: { name: string;' +
        ' namespace?: string; annotations?: Record<string, string>; labels?: Record<string, string> };' +
        ' spec: { config: string } }',
    'kustomize.config.k8s.io/v1beta1 Kustomization':
        'interface Foreign { apiVersion: string; kind: string; resources: string[] }',
};

async function checkResource(file, index, object) {
    const what = `${file} (${object?.kind ?? '?'})`;
    const key = `${object?.apiVersion} ${object?.kind}`;
    let source;
    if (foreign[key]) {
        source = `${foreign[key]}\nconst x: Foreign = ${JSON.stringify(object, null, 1)};\n`;
    } else {
        const module = `kubernetes-models/${object?.apiVersion}/${object?.kind}`;
        let models;
        try {
            models = await import(module);
        } catch {
            check(what, false, `there is no resource ${key}`);
            return '';
        }
        try {
            new models[object.kind](object).validate();
            check(what, true);
        } catch (error) {
            check(what, false, error.message);
        }
        source = `import { I${object.kind} } from '${module}';\n` +
            `const x: I${object.kind} = ${JSON.stringify(object, null, 1)};\n`;
    }
    const name = path.resolve(`resource-${path.basename(file, '.yaml')}-${index}.mts`);
    fs.writeFileSync(name, `${source}export default x;\n`);
    return name;
}

function compile(names) {
    const program = ts.createProgram(names, {
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        target: ts.ScriptTarget.ES2022,
        types: [],
    });
    const found = ts.getPreEmitDiagnostics(program);
    for (const d of found) {
        const text = ts.flattenDiagnosticMessageText(d.messageText, ' ').slice(0, 400);
        check(d.file ? path.basename(d.file.fileName) : 'types', false, text);
    }
    checks += names.length;
}

// What the schema does not say and this project promises: the switch's pod has no privilege.
function checkPod(pod) {
    const spec = pod.spec;
    check('pod: not root', spec.securityContext.runAsNonRoot === true && spec.securityContext.runAsUser > 0);
    check('pod: no host namespace', !spec.hostNetwork && !spec.hostPID && !spec.hostIPC);
    check('pod: nothing of the host', !spec.volumes.some((v) => v.hostPath));
    check('pod: name fits the protocol', pod.metadata.name.length <= 55);
    const profile = spec.securityContext.seccompProfile;
    check('pod: seccomp profile exists',
        profile.type === 'Localhost' && fs.existsSync(at(`seccomp/${profile.localhostProfile}`)));
    for (const c of spec.containers) {
        const s = c.securityContext;
        check('pod: no privilege escalation', s.allowPrivilegeEscalation === false && !s.privileged);
        check('pod: capabilities',
            JSON.stringify(s.capabilities) === '{"drop":["ALL"],"add":["NET_RAW","IPC_LOCK"]}',
            JSON.stringify(s.capabilities));
        for (const name of Object.keys(c.resources.limits).filter((n) => /[/]|^hugepages/.test(n))) {
            check(`pod: ${name}: request equals limit`,
                c.resources.requests[name] === c.resources.limits[name]);
        }
        for (const mount of c.volumeMounts) {
            check(`pod: volume ${mount.name}`, spec.volumes.some((v) => v.name === mount.name));
        }
    }
}

// Annotations, pools and resources name each other.
function checkNames(all) {
    const of = (kind) => all.filter((o) => o.kind === kind);
    const pod = of('Pod')[0];
    const pools = JSON.parse(of('ConfigMap')[0].data['config.json']).pools;
    const resources = of('NetworkAttachmentDefinition').map((n) => {
        const config = JSON.parse(n.spec.config);
        check(`${n.metadata.name}: CNI configuration`,
            config.cniVersion && config.type && config.name && config.mode === 'primary');
        return n.metadata.annotations['k8s.v1.cni.cncf.io/resourceName'];
    });
    const limits = pod.spec.containers[0].resources.limits;
    for (const resource of resources) {
        const pool = pools.find((p) => `afxdp/${p.name}` === resource);
        check(`a pool for ${resource}`, pool);
        check(`${resource}: the pool's uid is the pod's`, pool?.uid === pod.spec.securityContext.runAsUser);
        const networks = pod.metadata.annotations['k8s.v1.cni.cncf.io/networks'].split(',');
        check(`${resource}: as many networks as devices`, networks.length === Number(limits[resource]));
    }
    for (const pool of pools) {
        check(`pool ${pool.name}: name`, /^[A-Za-z0-9]{1,20}$/.test(pool.name));
        check(`pool ${pool.name}: UdsTimeout`, pool.UdsTimeout >= 30 && pool.UdsTimeout <= 300);
        check(`pool ${pool.name}: uid`, pool.uid >= 1000 && pool.uid <= 256000);
    }
}

async function checkKubernetes() {
    const folder = at('kubernetes');
    const all = [];
    const names = [];
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.yaml'))) {
        let docs = [];
        try {
            docs = yaml.loadAll(fs.readFileSync(path.join(folder, file), 'utf8'));
        } catch (error) {
            check(file, false, error.message);
        }
        for (const [i, doc] of docs.entries()) {
            all.push(doc);
            names.push(await checkResource(file, i, doc));
        }
    }
    compile(names.filter(Boolean));
    const listed = all.find((o) => o.kind === 'Kustomization').resources;
    const present = fs.readdirSync(folder).filter((f) => /^[0-9].*[.]yaml$/.test(f));
    check('kustomization lists every manifest', listed.join() === present.join());
    checkPod(all.find((o) => o.kind === 'Pod'));
    checkNames(all);
}

// ---------------------------------------------------------------- the image

function checkDockerfile() {
    const text = fs.readFileSync(at('image/Dockerfile'), 'utf8');
    for (const d of validateDockerfile(text)) {
        check(`Dockerfile line ${d.range.start.line + 1}`, false, d.message);
    }
    const lines = text.replace(/\\\n(\s*#.*\n)*/g, ' ').split('\n').filter((l) => /^[A-Z]+ /.test(l));
    const stages = lines.filter((l) => l.startsWith('FROM '));
    check('Dockerfile: two stages', stages.length === 2);
    check('Dockerfile: Debian 12 slim', stages.every((l) => /^FROM debian:12-slim( |$)/.test(l)));
    const last = lines.slice(lines.lastIndexOf(stages[1]));
    const user = last.filter((l) => l.startsWith('USER ')).pop();
    check('Dockerfile: runs as an ordinary user', /^USER [1-9][0-9]*:[1-9][0-9]*$/.test(user ?? ''));
    for (const line of lines.filter((l) => /^(COPY|ADD) (?!--from)/.test(l))) {
        for (const source of line.split(/\s+/).slice(1, -1)) {
            check(`Dockerfile: ${source}`, fs.existsSync(path.join(top, source)), 'no such file');
        }
    }
    for (const name of ['ENTRYPOINT', 'HEALTHCHECK']) {
        const list = last.find((l) => l.startsWith(name))?.match(/\[.*\]$/);
        check(`Dockerfile: ${name} without a shell`, list && JSON.parse(list[0]).length > 0);
    }
    check('Dockerfile: small', !lines.some((l) => /apt-get install/.test(l) && !/--no-install-recommends/.test(l)));
}

function checkSeccomp() {
    const p = JSON.parse(fs.readFileSync(at('seccomp/xvs.json'), 'utf8'));
    check('seccomp: refuses by default', p.defaultAction === 'SCMP_ACT_ERRNO' && p.defaultErrnoRet === 1);
    const never = ['mount', 'umount2', 'pivot_root', 'chroot', 'setns', 'unshare', 'ptrace', 'keyctl',
        'add_key', 'kexec_load', 'init_module', 'finit_module', 'delete_module', 'reboot', 'swapon',
        'perf_event_open', 'userfaultfd', 'io_uring_setup', 'process_vm_writev', 'open_by_handle_at'];
    for (const entry of p.syscalls) {
        check('seccomp: rule', entry.action === 'SCMP_ACT_ALLOW' && Array.isArray(entry.names));
        for (const name of entry.names) {
            check(`seccomp: ${name}`, /^[a-z0-9_]+$/.test(name) && !never.includes(name));
            if (name === 'bpf' || name === 'socket') {
                check(`seccomp: ${name} is limited`, entry.args?.length === 1 && entry.args[0].op === 'SCMP_CMP_EQ');
            }
        }
    }
    const bpf = p.syscalls.filter((e) => e.names.includes('bpf')).map((e) => e.args[0].value);
    check('seccomp: bpf loads no program', JSON.stringify(bpf) === '[1,2,3,7,15]', JSON.stringify(bpf));
}

// ---------------------------------------------------------------- hosts without Kubernetes

function checkHosts() {
    const agent = JSON.parse(fs.readFileSync(at('podman/xvs-agent.json'), 'utf8'));
    const known = ['name', 'uid', 'host', 'queues', 'xdp-mode', 'netns', 'mtu', 'promisc', 'socket'];
    for (const d of agent.devices) {
        check(`agent: ${d.name}`, Object.keys(d).every((k) => known.includes(k)));
    }
    const unit = fs.readFileSync(at('podman/xvs-switch.container'), 'utf8');
    const value = (key) => unit.match(new RegExp(`^${key}=(.*)$`, 'm'))?.[1] ?? '';
    for (const line of unit.split('\n')) {
        check(`quadlet: "${line}"`, /^(#.*|\[(Unit|Container|Service|Install)\]|[A-Za-z]+=.*|)$/.test(line));
    }
    check('quadlet: user', agent.devices.every((d) => String(d.uid) === value('User')));
    check('quadlet: namespace', agent.devices.every((d) => value('Network') === `ns:/run/netns/${d.netns}`));
    check('quadlet: host name', agent.devices.every((d) => value('PodmanArgs').includes(`--hostname=${d.host} `)));
    check('quadlet: devices', value('Environment').includes(agent.devices.map((d) => d.name).join(' ')));
    check('quadlet: capabilities', value('DropCapability') === 'ALL' && value('NoNewPrivileges') === 'true');
    check('quadlet: sockets', value('Volume').startsWith(`${agent['socket-dir']}:/tmp/afxdp_dp`));
    const list = JSON.parse(fs.readFileSync(at('cni/20-xvs.conflist'), 'utf8'));
    check('CNI list', list.cniVersion && list.name && list.plugins.every((p) => p.type && p.deviceID));
    check('containerd drop-in', /^\[Service\]\nLimitMEMLOCK=infinity$/m
        .test(fs.readFileSync(at('node/containerd-memlock.conf'), 'utf8')));
}

await checkKubernetes();
checkDockerfile();
checkSeccomp();
checkHosts();
console.log(`check-manifests: ${checks} checks, ${failures} failed`);
process.exit(failures ? 1 : 0);
